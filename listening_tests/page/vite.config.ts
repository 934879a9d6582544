// One script and one style sheet under fixed names, committed inside the Python package.
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
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
