/**
 * Name and version of the tool, as reports carry them.
 *
 * @module
 */

/** Name and version. */
export const TOOL = "ptfuzz 0.1.0";
