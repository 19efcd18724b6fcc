/**
 * Deno's standard library for colours on a terminal, from npm and with types.
 *
 * @module
 */
// @ts-types="./fmt_colors.d.ts"
export * from "deno-std/fmt/colors.js";
