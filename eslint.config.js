import tseslint from "typescript-eslint";

/** `pepr build` lints as well; where `npm run build` calls it, `npm run lint` has its own turn. */
const parseOnly = tseslint.config({
  files: ["**/*.ts"],
  languageOptions: { parser: tseslint.parser },
  linterOptions: { reportUnusedDisableDirectives: "off" },
  plugins: { "@typescript-eslint": tseslint.plugin },
});

/** Type-aware rules for everything that is TypeScript; the thresholds keep functions readable. */
const rules = tseslint.config(
  { ignores: ["dist/", ".cache/", "coverage/", "**/node_modules/"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/consistent-type-definitions": ["error", "type"],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-function-return-type": [
        "error",
        { allowExpressions: true, allowTypedFunctionExpressions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Pepr and the Kubernetes client type their wire objects more loosely or strictly than the
      // API server behaves, so a check that looks unnecessary to the compiler may not be.
      "@typescript-eslint/no-unnecessary-condition": "off",
      complexity: ["error", 10],
      eqeqeq: "error",
      "max-depth": ["error", 3],
      "max-lines": ["error", 450],
      "max-nested-callbacks": ["error", 4],
      "max-params": ["error", 4],
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: ["**/*.test.ts", "**/fixtures.ts", "e2e/**"],
    rules: {
      "@typescript-eslint/explicit-function-return-type": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-misused-spread": "off",
      "max-nested-callbacks": ["error", 8],
    },
  },
  {
    // End-to-end tests read fields of whatever kubectl returned.
    files: ["e2e/**"],
    rules: { "@typescript-eslint/no-unsafe-member-access": "off" },
  },
  {
    files: ["*.config.ts", "*.config.js"],
    rules: { "no-restricted-exports": "off" },
  },
  {
    // Configurations of tools are no part of the TypeScript program.
    files: ["*.config.js", ".*.cjs"],
    ...tseslint.configs.disableTypeChecked,
  },
  {
    files: ["*.config.js", ".*.cjs"],
    rules: { "@typescript-eslint/explicit-function-return-type": "off" },
  },
);

export default process.env.ANCHO_BUILD === undefined ? rules : parseOnly;
