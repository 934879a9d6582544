// Clips: fetched, checked, decoded once per page; the next page's are fetched ahead.

import type { Engine } from "./engine";
import { type Clip, clipsOf, type Page } from "./model";

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
    const rate = rateInHeader(bytes);
    if (rate !== this.sampleRate || rate !== this.engine.contextRate) {
      throw new ClipError(
        `rate: file ${rate}, study ${this.sampleRate}, device ${this.engine.contextRate} Hz`,
      );
    }
    const buffer = await this.engine.decode(bytes);
    if (buffer.length !== clip.samples || buffer.numberOfChannels !== clip.channels) {
      throw new ClipError(
        `length: got ${buffer.length} x ${buffer.numberOfChannels}, ` +
          `expected ${clip.samples} x ${clip.channels}`,
      );
    }
    return buffer;
  }
}

// The rate that the WAV header names; decoding would hide it by resampling.
export function rateInHeader(bytes: ArrayBuffer): number {
  const view = new DataView(bytes);
  if (bytes.byteLength < 44 || view.getUint32(0) !== 0x52494646) throw new ClipError("no WAV file");
  return view.getUint32(24, true);
}
