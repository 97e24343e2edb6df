// @ts-check
/**
 * Makes `dist/`: one module for browsers, and the types that go with it. It is committed, so that
 * an app builds without Node. With `--verify` nothing is written; it fails if the committed files
 * are not what the sources give.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

/** Which sources hold public types, each after those that it needs. */
const PUBLIC = ["graphql", "subscribable", "status", "snapshot", "client"];

const files = { "blazelink.js": await bundle(), "blazelink.d.ts": declarations() };

const stale = Object.entries(files).filter(([name, text]) => committed(name) !== text);

if (!process.argv.includes("--verify")) {
  mkdirSync(join(here, "dist"), { recursive: true });
  for (const [name, text] of stale) {
    writeFileSync(join(here, "dist", name), text);
  }
} else if (stale.length > 0) {
  const names = stale.map(([name]) => `dist/${name}`).join(" and ");
  console.error(`${names} is not what src/ gives\nhint: run \`npm run build\` and commit dist/`);
  process.exitCode = 1;
}

/** The module. It is not minified: it can be read in the browser's tools as it is. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: ["src/index.ts"],
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    write: false,
    banner: { js: `/*! @blazelink/client ${version}, MIT OR Apache-2.0 */` },
  });
  const [module] = outputFiles;
  if (module === undefined) {
    throw new Error("esbuild wrote nothing");
  }
  return module.text;
}

/** The declarations of {@link PUBLIC}, in one file. */
function declarations() {
  const folder = mkdtempSync(join(tmpdir(), "blazelink-client-"));
  try {
    const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", import.meta.url));
    const project = ["--project", join(here, "tsconfig.build.json")];
    execFileSync(tsc, [...project, "--outDir", folder], { stdio: "inherit" });
    const parts = PUBLIC.map((name) =>
      readFileSync(join(folder, `${name}.d.ts`), "utf8")
        .replaceAll(/^import .*;\n/gm, "")
        .replaceAll(/^export \{\};\n/gm, "")
        .trim(),
    );
    return `// @blazelink/client ${version}: made by build.js\n\n${parts.join("\n\n")}\n`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string} name */
function committed(name) {
  try {
    return readFileSync(join(here, "dist", name), "utf8");
  } catch {
    return undefined;
  }
}
