/** Whether the functions below colour; what NO_COLOR decides at the start. */
export function getColorEnabled(): boolean;
/** Switches colours on or off for the process. */
export function setColorEnabled(value: boolean): void;
/** Bold text. */
export function bold(str: string): string;
/** Faint text. */
export function dim(str: string): string;
/** Red text. */
export function red(str: string): string;
/** Green text. */
export function green(str: string): string;
/** Yellow text. */
export function yellow(str: string): string;
/** Blue text. */
export function blue(str: string): string;
/** Cyan text. */
export function cyan(str: string): string;
/** Grey text. */
export function gray(str: string): string;
/** Text without its ANSI escapes. */
export function stripAnsiCode(string: string): string;
