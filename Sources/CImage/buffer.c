#include "buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int cimage_buffer_append(cimage_buffer *buffer, const void *bytes, size_t count) {
  if (count > SIZE_MAX / 4 - buffer->count) return 0;
  if (buffer->count + count > buffer->capacity) {
    size_t capacity = buffer->capacity < 4096 ? 4096 : buffer->capacity;
    while (capacity < buffer->count + count) capacity *= 2;
    uint8_t *grown = realloc(buffer->bytes, capacity);
    if (!grown) return 0;
    buffer->bytes = grown;
    buffer->capacity = capacity;
  }
  if (count > 0) memcpy(buffer->bytes + buffer->count, bytes, count);
  buffer->count += count;
  return 1;
}

void cimage_say(char message[CIMAGE_MESSAGE], const char *text) {
  snprintf(message, CIMAGE_MESSAGE, "%s", text ? text : "unknown error");
}

int cimage_fits(uint64_t width, uint64_t height, uint64_t max_pixels) {
  return width > 0 && height > 0 && width <= max_pixels / height;
}

cimage_status cimage_inflate(
    const uint8_t *data, size_t count, size_t limit, cimage_buffer *out,
    char message[CIMAGE_MESSAGE]) {
  memset(out, 0, sizeof *out);
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (count > UINT32_MAX) {
    cimage_say(message, "compressed data of more than 4 GB");
    return CIMAGE_TOO_LARGE;
  }
  if (inflateInit(&stream) != Z_OK) {
    cimage_say(message, "out of memory");
    return CIMAGE_MEMORY;
  }
  stream.next_in = (Bytef *)data;
  stream.avail_in = (uInt)count;
  cimage_status status = CIMAGE_OK;
  uint8_t block[16384];
  for (;;) {
    stream.next_out = block;
    stream.avail_out = sizeof block;
    int result = inflate(&stream, Z_NO_FLUSH);
    size_t made = sizeof block - stream.avail_out;
    if (made > limit - out->count) {
      cimage_say(message, "inflates to more than the limit");
      status = CIMAGE_TOO_LARGE;
      break;
    }
    if (!cimage_buffer_append(out, block, made)) {
      cimage_say(message, "out of memory");
      status = CIMAGE_MEMORY;
      break;
    }
    if (result == Z_STREAM_END) break;
    if (result != Z_OK) {
      cimage_say(message, stream.msg ? stream.msg : "compressed data ends early");
      status = CIMAGE_CORRUPT;
      break;
    }
  }
  inflateEnd(&stream);
  if (status != CIMAGE_OK) {
    free(out->bytes);
    memset(out, 0, sizeof *out);
  }
  return status;
}

uint32_t cimage_crc32(uint32_t crc, const uint8_t *data, size_t count) {
  uLong value = crc;
  while (count > 0) {
    uInt step = count > 1u << 30 ? 1u << 30 : (uInt)count;
    value = crc32(value, data, step);
    data += step;
    count -= step;
  }
  return (uint32_t)value;
}

void cimage_free(void *bytes) { free(bytes); }
