/**
 * Values of options: numbers and names, with a sentence for what is none.
 *
 * @module
 */
import { ARCHS, CONFIGS, kernelNames, parseKernelName } from "../../core/kernel/names.ts";
import { notOneOf } from "../../core/program/did_you_mean.ts";
import { InputError, quote } from "../../core/program/input_error.ts";
import { grouped } from "../text.ts";

/** Largest seed: seeds are 32 bits, and a larger one would be the same as another. */
export const MAX_SEED = 0xffff_ffff;
/** More workers than any machine has processors. */
export const MAX_WORKERS = 1024;

const NUMBER = /^\d+(_\d+)*(\.\d+)?([eE]\+?\d{1,3})?$/;

/**
 * A parser of whole numbers from 1: `250`, `1_000_000`, `1e6`.
 *
 * @param option the option's name, for the message
 * @param max the largest that is taken
 */
export function positiveInteger(option: string, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = NUMBER.test(text) ? Number(text.replaceAll("_", "")) : NaN;
    if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
    throw new InputError(
      `${option}: expected a whole number from 1 to ${grouped(max)}, such as 1000, 1_000 or 1e3, and not ${
        quote(text)
      }`,
    );
  };
}

/** A parser of powers of two. */
export function powerOfTwo(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = NUMBER.test(text) ? Number(text.replaceAll("_", "")) : NaN;
    if (Number.isInteger(value) && value >= min && value <= max && (value & (value - 1)) === 0) return value;
    throw new InputError(`${option}: expected a power of two from ${min} to ${grouped(max)}, and not ${quote(text)}`);
  };
}

/** A parser of one of some words. */
export function oneOf<T extends string>(option: string, words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((w) => w === text);
    if (word !== undefined) return word;
    throw new InputError(`${option}: ${notOneOf(text, "a choice", words)}`);
  };
}

/** A parser of an option that may be repeated: each value checked, and once in the list. */
export function repeated(check: (text: string) => string): (text: string, before: readonly string[]) => string[] {
  return (text, before) => [...new Set([...before, check(text)])];
}

/** Checks the name of a kernel. */
export function kernelName(text: string): string {
  if (parseKernelName(text) !== undefined) return text;
  throw new InputError(`--kernel: ${notOneOf(text, "a kernel", kernelNames())}`);
}

/** Checks the name of a configuration option. */
export function configName(text: string): string {
  if (Object.hasOwn(CONFIGS, text)) return text;
  throw new InputError(`--config: ${notOneOf(text, "a configuration option", Object.keys(CONFIGS))}`);
}

/** Checks that a value is not empty. */
export function notEmpty(option: string): (text: string) => string {
  return (text) => {
    if (text.trim() !== "") return text;
    throw new InputError(`${option}: expected a value, and not ''`);
  };
}

/** Checks the name of an architecture. */
export function archName(text: string): string {
  if (ARCHS.includes(text)) return text;
  throw new InputError(`--arch: ${notOneOf(text, "an architecture", ARCHS)}`);
}
