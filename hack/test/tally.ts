/** How many tests passed, and the names of those that did not. */
export type Tally = { readonly passed: number; readonly failures: readonly string[] };

type VitestReport = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
};

export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, tally) => sum + tally.passed, 0),
    failures: tallies.flatMap(tally => tally.failures),
  };
}

/**
 * Read vitest's JSON report. Whatever is not "passed" counts as failed, a skipped test too, and so
 * does a file that could not even be loaded, a missing report, and a run that failed for a reason
 * no test shows (an error in a set-up, an unhandled rejection).
 */
export function tallyVitest(project: string, ok: boolean, text: string | undefined): Tally {
  if (text === undefined) return { passed: 0, failures: [`${project}: no test report`] };
  const files = (JSON.parse(text) as VitestReport).testResults;
  const tests = files.flatMap(file => file.assertionResults);
  const failures = [
    ...tests.filter(test => test.status !== "passed").map(test => `${project}: ${test.fullName}`),
    ...files
      .filter(file => file.status !== "passed" && file.assertionResults.length === 0)
      .map(file => `${project}: ${file.name} did not load`),
  ];
  const passed = tests.filter(test => test.status === "passed").length;
  if (passed === 0) return { passed, failures: [...failures, `${project}: no test passed`] };
  if (!ok && failures.length === 0) {
    return { passed, failures: [`${project}: the run failed outside of any test`] };
  }
  return { passed, failures };
}
