/** The last part of a path, without `suffix` where it ends so. */
export function basename(path: string, suffix?: string): string;
/** A path without its last part. */
export function dirname(path: string): string;
/** The extension of a path, with its dot; empty where it has none. */
export function extname(path: string): string;
/** The path that a `file:` URL names. */
export function fromFileUrl(url: string | URL): string;
/** Whether a path begins at the root. */
export function isAbsolute(path: string): boolean;
/** Parts joined to one path, `.` and `..` resolved. */
export function join(path: string, ...paths: string[]): string;
/** The way from one path to another. */
export function relative(from: string, to: string): string;
/** Parts resolved from right to left to an absolute path. */
export function resolve(...paths: string[]): string;
/** The `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL;
