/** The import table of docs/architecture.md: who may know whom. `npm run lint` holds the code to it. */
const only = (name, from, allowed) => ({
  name,
  comment: `${from} may import only: ${allowed.join(", ") || "nothing of ours"}`,
  severity: "error",
  from: { path: `^${from}/`, pathNot: ["\\.test\\.ts$", "/interop/"] },
  to: {
    path: "^(pepr\\.ts|capabilities|cli|hack|e2e|bench)",
    pathNot: [`^${from}/`, ...allowed.map(a => `^${a}/`)],
  },
});

module.exports = {
  forbidden: [
    only("config-is-a-leaf", "capabilities/config", []),
    only("kube-is-a-leaf", "capabilities/kube", []),
    only("bgp-knows-no-kubernetes", "capabilities/bgp", []),
    only("ipam-imports", "capabilities/ipam", ["capabilities/config", "capabilities/kube"]),
    only("announce-imports", "capabilities/announce", [
      "capabilities/config",
      "capabilities/kube",
      "capabilities/bgp",
    ]),
    {
      name: "entry-lists-capabilities",
      comment: "pepr.ts lists capabilities: it imports ipam and config only",
      severity: "error",
      from: { path: "^pepr\\.ts$" },
      to: {
        path: "^(capabilities|hack|e2e|bench)",
        pathNot: "^capabilities/(ipam|config)/",
      },
    },
    {
      name: "wire-is-pure",
      comment: "codecs see bytes only: no sockets, files, timers or child processes",
      severity: "error",
      from: { path: "^capabilities/bgp/(bfd/)?wire/", pathNot: "\\.test\\.ts$" },
      to: { path: "^(net|dgram|fs|child_process|timers|http|https|tls|dns)$" },
    },
    {
      name: "native-code-only-at-the-edges",
      comment: "netlink and koffi cannot be bundled into the Pepr module",
      severity: "error",
      from: { pathNot: "^(capabilities/(announce|bgp)|hack/interop)/" },
      to: { path: "node_modules/(netlink|koffi)/" },
    },
    {
      name: "native-code-not-from-the-entry",
      severity: "error",
      from: { path: "^pepr\\.ts$" },
      to: { path: "node_modules/(netlink|koffi)/", reachable: true },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "tests-are-not-imported",
      severity: "error",
      from: { pathNot: "\\.test\\.ts$" },
      to: { path: "\\.test\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|\\.cache|coverage)/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: [".ts", ".js", ".json"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
