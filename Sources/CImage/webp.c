#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include "buffer.h"

cimage_status cimage_webp_decode(
    const uint8_t *data, size_t count, uint64_t max_pixels, cimage_pixels *out,
    char message[CIMAGE_MESSAGE]) {
  memset(out, 0, sizeof *out);
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, count, &features) != VP8_STATUS_OK) {
    cimage_say(message, "the header is damaged or cut off");
    return CIMAGE_CORRUPT;
  }
  if (features.has_animation) {
    cimage_say(message, "animated WebP");
    return CIMAGE_UNSUPPORTED;
  }
  if (features.width < 1 || features.height < 1) {
    cimage_say(message, "no pixels");
    return CIMAGE_CORRUPT;
  }
  size_t width = (size_t)features.width, height = (size_t)features.height;
  size_t channels = features.has_alpha ? 4 : 3;
  out->width = width;
  out->height = height;
  out->channels = channels;
  if (!cimage_fits(width, height, max_pixels)) {
    cimage_say(message, "too many pixels");
    return CIMAGE_TOO_LARGE;
  }
  size_t size = width * height * channels;
  uint8_t *pixels = malloc(size);
  if (!pixels) {
    cimage_say(message, "out of memory");
    return CIMAGE_MEMORY;
  }
  int stride = (int)(width * channels);
  uint8_t *decoded = channels == 4 ? WebPDecodeRGBAInto(data, count, pixels, size, stride)
                                   : WebPDecodeRGBInto(data, count, pixels, size, stride);
  if (!decoded) {
    free(pixels);
    cimage_say(message, "the picture data is damaged or cut off");
    return CIMAGE_CORRUPT;
  }
  out->bytes = pixels;
  return CIMAGE_OK;
}

static int write_bytes(const uint8_t *data, size_t count, const WebPPicture *picture) {
  return cimage_buffer_append(picture->custom_ptr, data, count);
}

cimage_status cimage_webp_encode(
    const cimage_pixels *pixels, float quality, int lossless, cimage_buffer *out,
    char message[CIMAGE_MESSAGE]) {
  memset(out, 0, sizeof *out);
  if (pixels->width > WEBP_MAX_DIMENSION || pixels->height > WEBP_MAX_DIMENSION) {
    cimage_say(message, "WebP holds at most 16383 pixels a side");
    return CIMAGE_TOO_LARGE;
  }
  WebPConfig config;
  WebPPicture picture;
  if (!WebPConfigInit(&config) || !WebPPictureInit(&picture)) {
    cimage_say(message, "libwebp of another version");
    return CIMAGE_UNSUPPORTED;
  }
  config.quality = quality;
  config.lossless = lossless;
  config.exact = lossless;
  picture.use_argb = lossless;
  picture.width = (int)pixels->width;
  picture.height = (int)pixels->height;
  picture.writer = write_bytes;
  picture.custom_ptr = out;
  int stride = (int)(pixels->width * pixels->channels);
  int done = pixels->channels == 4 ? WebPPictureImportRGBA(&picture, pixels->bytes, stride)
                                   : WebPPictureImportRGB(&picture, pixels->bytes, stride);
  done = done && WebPEncode(&config, &picture);
  WebPPictureFree(&picture);
  if (!done) {
    free(out->bytes);
    memset(out, 0, sizeof *out);
    cimage_say(message, "libwebp cannot encode it");
    return CIMAGE_MEMORY;
  }
  return CIMAGE_OK;
}
