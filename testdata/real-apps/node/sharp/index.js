const sharp = require("sharp");

exports.handler = async ({ width }) => {
  const image = await sharp({ create: { width, height: 8, channels: 3, background: "red" } }).png().toBuffer();
  const small = await sharp(image).resize(4).webp().toBuffer({ resolveWithObject: true });
  return { format: small.info.format, width: small.info.width };
};
