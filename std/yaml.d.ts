/** The value that a YAML document stands for. */
export function parse(content: string): unknown;
