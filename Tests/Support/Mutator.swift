import Foundation

/// Damages files in the ways that chance and malice do.
///
/// Every mutation follows from its number, so that a failure can be repeated: set REVERIE_FUZZ_FIRST to
/// the number that the failure names and REVERIE_FUZZ to 1.
public struct Mutator {
  private var random: SplitMix

  /// The damage of a number.
  public init(_ number: Int) {
    random = SplitMix(state: UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15)
  }

  private mutating func below(_ bound: Int) -> Int { random.below(max(1, bound)) }

  /// A length that a careless reader would believe.
  private mutating func length() -> UInt64 {
    let telling: [UInt64] = [
      0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40,
      UInt64(Int.max), UInt64(Int.max) + 1, .max - 7, .max,
    ]
    return telling[below(telling.count)]
  }

  /// The bytes, damaged in one to three places.
  public mutating func damage(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    for _ in 0...below(2) {
      guard !bytes.isEmpty else { break }
      let at = below(bytes.count)
      switch below(9) {
      case 0: bytes[at] ^= 1 << UInt8(below(8))
      case 1: bytes[at] = UInt8(truncatingIfNeeded: random.next())
      case 2: bytes.removeLast(below(bytes.count))
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
      case 4:
        // A length field, of either byte order.
        let width = [1, 2, 4, 8][below(4)]
        var value = length()
        if below(2) == 0 { value = value.byteSwapped >> UInt64(64 - 8 * width) }
        for i in 0..<width where at + i < bytes.count {
          bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
        }
      case 5:
        // A piece twice: duplicate names, repeated opcodes.
        let piece = bytes[at..<min(bytes.count, at + 1 + below(200))]
        bytes.insert(contentsOf: piece, at: below(bytes.count))
      case 6:
        // Nesting.
        let opener: [UInt8] = [[0x28], [0x5D], [0x7D, 0x5B], [0x81, 0xA1, 0x61], [0x29, 0x85]][
          below(5)]
        bytes.insert(
          contentsOf: repeatElement(opener, count: 1 + below(3000)).joined(), at: at)
      case 7:
        // Another name, or a path.
        let names = ["..", "/etc/passwd", "data", "__metadata__", "\0", "storage", "é"]
        bytes.replaceSubrange(
          at..<min(bytes.count, at + below(8)), with: Array(names[below(names.count)].utf8))
      default:
        // A piece from elsewhere: offsets and numbers that are right in another place.
        let from = below(bytes.count)
        for i in 0..<min(8, bytes.count - max(at, from)) { bytes[at + i] = bytes[from + i] }
      }
    }
    return bytes
  }
}

/// Resident memory of this process in bytes.
public func residentMemory() -> Int {
  let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  let pages = status.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  return pages * Int(getpagesize())
}

extension [UInt8] {
  /// Writes a file. Foundation's own writing waits for the disk, and so does ext4 when a file is cut and rewritten.
  public func write(to url: URL) throws {
    unlink(url.path)
    guard let file = fopen(url.path, "wb") else { throw CocoaError(.fileWriteUnknown) }
    defer { fclose(file) }
    guard fwrite(self, 1, count, file) == count else { throw CocoaError(.fileWriteOutOfSpace) }
  }
}
