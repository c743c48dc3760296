// Picture codecs, memory in and memory out.
//
// libpng and libjpeg report errors by longjmp, which must not cross Swift frames. Every setjmp and
// longjmp therefore stays inside this target; callers see a status and a message.
#ifndef CIMAGE_H
#define CIMAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CIMAGE_MESSAGE = 200 };

typedef enum {
  CIMAGE_OK = 0,
  CIMAGE_CORRUPT = 1,
  CIMAGE_TOO_LARGE = 2,
  CIMAGE_UNSUPPORTED = 3,
  CIMAGE_MEMORY = 4,
} cimage_status;

// Interleaved 8-bit pixels without row padding; channels is 3 (RGB) or 4 (RGBA, straight alpha).
typedef struct {
  uint8_t *bytes;
  size_t width, height, channels;
} cimage_pixels;

typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
} cimage_buffer;

// international: 0 writes tEXt (ASCII), 1 writes iTXt (UTF-8).
typedef struct {
  const char *keyword;
  const char *text;
  int international;
} cimage_text;

// The decoders refuse pictures of more than max_pixels before they allocate pixels. On CIMAGE_OK
// out->bytes belongs to the caller (cimage_free); otherwise message says what is wrong, and for
// CIMAGE_TOO_LARGE out->width and out->height hold the size that was refused.
cimage_status cimage_png_decode(
    const uint8_t *data, size_t count, uint64_t max_pixels, cimage_pixels *out,
    char message[CIMAGE_MESSAGE]);
cimage_status cimage_jpeg_decode(
    const uint8_t *data, size_t count, uint64_t max_pixels, cimage_pixels *out,
    char message[CIMAGE_MESSAGE]);
cimage_status cimage_webp_decode(
    const uint8_t *data, size_t count, uint64_t max_pixels, cimage_pixels *out,
    char message[CIMAGE_MESSAGE]);

// The encoders read pixels->bytes and fill out, whose bytes belong to the caller (cimage_free).
cimage_status cimage_png_encode(
    const cimage_pixels *pixels, const cimage_text *texts, size_t text_count, int compression,
    cimage_buffer *out, char message[CIMAGE_MESSAGE]);
// RGB only. Chroma is kept at full resolution from quality 90 on.
cimage_status cimage_jpeg_encode(
    const cimage_pixels *pixels, int quality, cimage_buffer *out, char message[CIMAGE_MESSAGE]);
cimage_status cimage_webp_encode(
    const cimage_pixels *pixels, float quality, int lossless, cimage_buffer *out,
    char message[CIMAGE_MESSAGE]);

// Inflates a zlib stream; CIMAGE_TOO_LARGE when it would exceed limit bytes.
cimage_status cimage_inflate(
    const uint8_t *data, size_t count, size_t limit, cimage_buffer *out,
    char message[CIMAGE_MESSAGE]);
uint32_t cimage_crc32(uint32_t crc, const uint8_t *data, size_t count);

void cimage_free(void *bytes);

#ifdef __cplusplus
}
#endif
#endif
