extension EXIF {
  /// The orientation of the picture, 1 to 8; 1 where the block says nothing sensible.
  ///
  /// CIPA DC-008, "Exchangeable image file format", tag 0x0112.
  func orientation() -> Int {
    guard
      let entry = entries(at: number(4, 4)).first(where: { $0.tag == 0x0112 }), entry.type == 3,
      let value = number(entry.offset + 8, 2), (1...8).contains(value)
    else { return 1 }
    return value
  }
}

extension Picture {
  /// The picture turned and mirrored so that a file with this EXIF orientation stands upright.
  func oriented(exif orientation: Int) -> Picture {
    guard (2...8).contains(orientation) else { return self }
    let (w, h, channels) = (width, height, channels)
    let (newWidth, newHeight) = orientation >= 5 ? (h, w) : (w, h)
    // Where the pixel of column 0 and row 0 comes from, and the steps to the right and down.
    let (start, right, down) =
      switch orientation {
      case 2: (w - 1, -1, w)
      case 3: (w * h - 1, -1, -w)
      case 4: (w * (h - 1), 1, -w)
      case 5: (0, w, 1)
      case 6: (w * (h - 1), -w, 1)
      case 7: (w * h - 1, -w, -1)
      default: (w - 1, w, -1)
      }
    let result = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, initialized in
      bytes.withUnsafeBufferPointer { from in
        var offset = 0
        for y in 0..<newHeight {
          for x in 0..<newWidth {
            let source = (start + x * right + y * down) * channels
            for channel in 0..<channels { buffer[offset + channel] = from[source + channel] }
            offset += channels
          }
        }
      }
      initialized = bytes.count
    }
    return Picture(unchecked: result, width: newWidth, height: newHeight, channels: channels)
  }
}
