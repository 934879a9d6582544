// Clips: fetched, checked, read once per page; the next page's are fetched ahead.

import type { Engine } from "./engine";
import { type Clip, clipsOf, type Page } from "./model";
import { readWav } from "./wav";

export class ClipError extends Error {}

export type Fetch = (id: string) => Promise<ArrayBuffer>;
type Buffers = Map<number, AudioBuffer>;

export class Clips {
  private cache = new Map<number, Promise<Buffers>>();

  constructor(
    private readonly engine: Engine,
    private readonly fetch: Fetch,
    private readonly sampleRate: number,
  ) {}

  async load(page: Page, progress: (share: number) => void): Promise<Buffers> {
    for (const n of this.cache.keys()) if (n !== page.n) this.cache.delete(n);
    const loading = this.start(page, progress);
    try {
      return await loading;
    } catch (error) {
      this.cache.delete(page.n);
      throw error;
    }
  }

  // Failures ahead of time are silent: the page itself tries again and says so.
  prefetch(page: Page | undefined): void {
    if (page) this.start(page, () => {}).catch(() => this.cache.delete(page.n));
  }

  private start(page: Page, progress: (share: number) => void): Promise<Buffers> {
    const known = this.cache.get(page.n);
    if (known) return known;
    const clips = [...clipsOf(page)];
    let done = 0;
    const loading = Promise.all(
      clips.map(async ([position, clip]): Promise<[number, AudioBuffer]> => {
        const buffer = await this.one(clip);
        progress(++done / clips.length);
        return [position, buffer];
      }),
    ).then((pairs) => new Map(pairs));
    this.cache.set(page.n, loading);
    return loading;
  }

  private async one(clip: Clip): Promise<AudioBuffer> {
    const bytes = await this.fetch(clip.id);
    const wave = readWav(bytes);
    if (wave.rate !== this.sampleRate || wave.rate !== this.engine.contextRate) {
      throw new ClipError(
        `rate: file ${wave.rate}, study ${this.sampleRate}, device ${this.engine.contextRate} Hz`,
      );
    }
    const length = wave.channels[0]!.length;
    if (length !== clip.samples || wave.channels.length !== clip.channels) {
      throw new ClipError(
        `length: got ${length} x ${wave.channels.length}, ` +
          `expected ${clip.samples} x ${clip.channels}`,
      );
    }
    return this.engine.buffer(wave.channels);
  }
}
