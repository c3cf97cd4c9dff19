/** The few bytes of the tar format (POSIX ustar) that an image archive needs around its members. */

const BLOCK = 512;
const MAX_SIZE = 8 ** 11 - 1;
const MAX_NAME = 100;

/** Two empty blocks end an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");

/** Header of a plain file of `size` bytes, owned by root, mode 0644, of time 0. */
export function tarHeader(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > MAX_NAME) {
    throw new Error(`tar member ${name}: names of more than ${MAX_NAME} bytes are not supported`);
  }
  if (size > MAX_SIZE) {
    throw new Error(`tar member ${name}: ${size} bytes are more than ustar's ${MAX_SIZE}`);
  }
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  header.write(`${octal(size, 11)}\0${octal(0, 11)}\0`, 124);
  // The checksum is computed over a header whose checksum field is blank.
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

/** What fills a member of `size` bytes up to whole blocks. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
