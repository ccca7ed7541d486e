/** The newest line of each cosigner, whom `by` tells: its first one stays on the checkpoint beside it. */
export function newest<Line extends { readonly at: string }>(lines: readonly Line[], by: (line: Line) => string): Line[] {
  const kept = new Map<string, Line>();
  for (const line of lines) {
    const before = kept.get(by(line));
    if (before === undefined || before.at < line.at) kept.set(by(line), line);
  }
  return [...kept.values()];
}
