// One script and one style sheet under fixed names, committed inside the Python package, and the
// texts of all languages, of which the package puts those of a study into its page.
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vite";

const TEXTS = "src/texts";

const texts = {
  name: "texts",
  generateBundle(this: { emitFile(file: object): string }) {
    const catalogues = Object.fromEntries(
      readdirSync(TEXTS)
        .sort()
        .map((file) => [
          file.replace(".json", ""),
          JSON.parse(readFileSync(`${TEXTS}/${file}`, "utf-8")) as unknown,
        ]),
    );
    const source = `${JSON.stringify(catalogues)}\n`;
    this.emitFile({ type: "asset", fileName: "texts.json", source });
  },
};

export default defineConfig({
  base: "./",
  plugins: [texts],
  build: {
    outDir: "../synbench_listening/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: "src/main.ts",
      output: { format: "iife", entryFileNames: "page.js", assetFileNames: "page[extname]" },
    },
  },
});
