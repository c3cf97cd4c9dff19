/** One figure: what was measured, what we aim for, and what others did in the same run. */
export type Aim = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The aim as a sentence; `holds` says whether the value meets it. */
  readonly aim: string;
  readonly holds: boolean;
  readonly peers: Readonly<Record<string, number>>;
};

export type Report = { readonly bench: string; readonly aims: readonly Aim[] };

/** The middle of the values; the mean of the two middle ones where they are even in number. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("median of no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return (low + high) / 2;
}

/** Three significant digits: more would claim more than a shared machine can show. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
