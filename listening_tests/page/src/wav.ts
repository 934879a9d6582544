// WAV files, read by the page itself: no browser's decoder stands between file and ear, and none
// of their differences (rounding, odd sizes, resampling) either. PCM of 8 to 32 bits and floats.

export class WavError extends Error {}

export interface Wave {
  rate: number;
  channels: Float32Array<ArrayBuffer>[];
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

interface Format {
  tag: number;
  channels: number;
  rate: number;
  bits: number;
}

export function readWav(bytes: ArrayBuffer): Wave {
  const view = new DataView(bytes);
  const name = (at: number) => String.fromCharCode(...new Uint8Array(bytes, at, 4));
  if (bytes.byteLength < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") {
    throw new WavError("no WAV file");
  }
  let format: Format | null = null;
  let at = 12;
  while (at + 8 <= bytes.byteLength) {
    const chunk = name(at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (chunk === "fmt ") format = readFormat(view, start, size);
    if (chunk === "data") {
      if (!format) throw new WavError("no format before the data");
      if (start + size > bytes.byteLength) throw new WavError("the file is cut off");
      return { rate: format.rate, channels: samples(view, start, size, format) };
    }
    // Chunks of odd size have a byte more, which their size does not count.
    at = start + size + (size % 2);
  }
  throw new WavError("no data");
}

function readFormat(view: DataView, at: number, size: number): Format {
  if (size < 16 || at + size > view.byteLength) throw new WavError("the format is cut off");
  const tag = view.getUint16(at, true);
  return {
    // The extensible form says further on what it is.
    tag: tag === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : tag,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

function samples(
  view: DataView,
  start: number,
  size: number,
  format: Format,
): Float32Array<ArrayBuffer>[] {
  const { channels, bits } = format;
  const width = bits / 8;
  const read = reader(view, format);
  const length = Math.floor(size / (width * channels));
  return Array.from({ length: channels }, (_, channel) => {
    const wave = new Float32Array(length);
    for (let k = 0; k < length; k++) wave[k] = read(start + (k * channels + channel) * width);
    return wave;
  });
}

// A sample at a byte, from -1 to 1.
function reader(view: DataView, { tag, bits, channels }: Format): (at: number) => number {
  if (channels < 1 || channels > 32) throw new WavError(`${channels} channels`);
  if (tag === PCM && bits === 8) return (at) => (view.getUint8(at) - 128) / 128;
  if (tag === PCM && bits === 16) return (at) => view.getInt16(at, true) / 0x8000;
  if (tag === PCM && bits === 24) {
    return (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 0x800000;
  }
  if (tag === PCM && bits === 32) return (at) => view.getInt32(at, true) / 0x80000000;
  if (tag === FLOAT && bits === 32) return (at) => view.getFloat32(at, true);
  throw new WavError(`format ${tag} with ${bits} bits`);
}
