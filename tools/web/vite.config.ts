// One script and one style sheet, which the report carries in itself.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2020",
    outDir: "dist",
    lib: { entry: "src/main.ts", name: "duetReport", formats: ["iife"], fileName: () => "report.js", cssFileName: "report" },
    minify: "esbuild",
  },
});
