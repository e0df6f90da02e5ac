/** A zip with these names, nothing in them, and its directory at its end (APPNOTE.TXT): what `jar cf` writes, as far as names go. */
export function jar(...names: readonly string[]): Buffer {
  const files = names.map((name) => Buffer.from(name));
  const locals = files.map((name) => Buffer.concat([header(LOCAL, name), name]));
  let at = 0;
  const directory = files.map((name, index) => {
    const entry = Buffer.concat([header(CENTRAL, name, at), name]);
    at += locals[index]?.length ?? 0;
    return entry;
  });
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

const LOCAL = { signature: 0x04034b50, length: 30, nameAt: 26 } as const;
const CENTRAL = { signature: 0x02014b50, length: 46, nameAt: 28 } as const;

function header(
  { signature, length, nameAt }: typeof LOCAL | typeof CENTRAL,
  name: Buffer,
  offset = 0,
): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(signature, 0);
  bytes.writeUInt16LE(name.length, nameAt);
  if (signature === CENTRAL.signature) bytes.writeUInt32LE(offset, 42);
  return bytes;
}
