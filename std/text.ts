/**
 * Deno's standard library for text, from npm and with types.
 *
 * @module
 */
// @ts-types="./text.d.ts"
export * from "deno-std/text/mod.js";
