/**
 * Deno's standard library for assertions, from npm and with types.
 *
 * @module
 */
// @ts-types="./assert.d.ts"
export * from "deno-std/assert/mod.js";
