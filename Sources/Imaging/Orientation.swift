/// The one EXIF field that changes how a picture is shown.
///
/// CIPA DC-008, "Exchangeable image file format", tag 0x0112.
enum EXIF {
  /// The orientation of a JPEG file, 1 to 8; 1 where the file says nothing sensible.
  static func orientation(ofJPEG bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var offset = 2
    while offset + 4 <= bytes.count, bytes[offset] == 0xff {
      let marker = bytes[offset + 1]
      if marker == 0xff {
        offset += 1
        continue
      }
      if marker == 0x01 || (0xd0...0xd7).contains(marker) {
        offset += 2
        continue
      }
      if marker == 0xda || marker == 0xd9 { break }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      guard length >= 2, offset + 2 + length <= bytes.count else { break }
      let body = UnsafeBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 2 + length)])
      if marker == 0xe1, body.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
        return orientation(ofTIFF: UnsafeBufferPointer(rebasing: body.dropFirst(6))) ?? 1
      }
      offset += 2 + length
    }
    return 1
  }

  private static func orientation(ofTIFF bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    guard bytes.count >= 8 else { return nil }
    let little = bytes[0] == 0x49 && bytes[1] == 0x49
    guard little || (bytes[0] == 0x4d && bytes[1] == 0x4d) else { return nil }
    func number(_ offset: Int, _ count: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - count else { return nil }
      let part = bytes[offset..<(offset + count)]
      return little
        ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
    }
    guard number(2, 2) == 42, let start = number(4, 4), let entries = number(start, 2) else {
      return nil
    }
    for entry in 0..<entries {
      let offset = start + 2 + 12 * entry
      guard let tag = number(offset, 2) else { return nil }
      guard tag == 0x0112 else { continue }
      guard number(offset + 2, 2) == 3, let value = number(offset + 8, 2) else { return nil }
      return (1...8).contains(value) ? value : nil
    }
    return nil
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
