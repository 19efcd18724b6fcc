/**
 * Deno's standard library for paths, from npm and with types.
 *
 * @module
 */
// @ts-types="./path.d.ts"
export * from "deno-std/path/mod.js";
