// Which stretches of a stimulus were heard; repeats count once.

export class Heard {
  plays = 0;
  private stretches: [number, number][] = [];

  // Add a stretch in seconds of the clip and merge what touches.
  add(from: number, to: number): void {
    if (!(to > from)) return;
    const merged: [number, number][] = [];
    let current: [number, number] = [from, to];
    for (const stretch of this.stretches) {
      if (stretch[1] < current[0] || stretch[0] > current[1]) merged.push(stretch);
      else current = [Math.min(stretch[0], current[0]), Math.max(stretch[1], current[1])];
    }
    merged.push(current);
    this.stretches = merged.sort((a, b) => a[0] - b[0]);
  }

  get seconds(): number {
    return this.stretches.reduce((sum, [from, to]) => sum + to - from, 0);
  }
}
