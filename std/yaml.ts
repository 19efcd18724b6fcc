/**
 * Deno's standard library for YAML, from npm and with types.
 *
 * @module
 */
// @ts-types="./yaml.d.ts"
export * from "deno-std/yaml/mod.js";
