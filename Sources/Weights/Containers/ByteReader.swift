/// Why bytes are not of the format they were read as.
struct FormatError: Error, Equatable {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Reads numbers and pieces from bytes, and never beyond their end.
struct ByteReader {
  private let all: UnsafeRawBufferPointer
  /// The next byte to read.
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
    all = bytes
    self.position = position
  }

  /// The bytes that are left.
  var remaining: Int { all.count - position }

  private mutating func advance(_ count: Int) throws(FormatError) -> Int {
    guard count >= 0, count <= remaining else {
      throw FormatError("it ends in the middle, after \(all.count) bytes")
    }
    defer { position += count }
    return position
  }

  mutating func byte() throws(FormatError) -> UInt8 { all[try advance(1)] }

  /// A little-endian number of up to eight bytes.
  mutating func unsigned(_ count: Int) throws(FormatError) -> Int {
    try number(bytes(count).reversed())
  }

  /// A big-endian number of up to eight bytes.
  mutating func bigEndian(_ count: Int) throws(FormatError) -> Int { try number(bytes(count)) }

  private func number(_ bytes: some Sequence<UInt8>) throws(FormatError) -> Int {
    let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let number = Int(exactly: value) else { throw FormatError("it has an impossible length") }
    return number
  }

  mutating func bigEndianInt64() throws(FormatError) -> Int64 {
    let start = try advance(8)
    return Int64(bigEndian: all.loadUnaligned(fromByteOffset: start, as: Int64.self))
  }

  mutating func bigEndianDouble() throws(FormatError) -> Double {
    let start = try advance(8)
    return Double(
      bitPattern: UInt64(bigEndian: all.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
  }

  mutating func bytes(_ count: Int) throws(FormatError) -> UnsafeRawBufferPointer {
    let start = try advance(count)
    return UnsafeRawBufferPointer(rebasing: all[start..<start + count])
  }

  mutating func text(_ count: Int) throws(FormatError) -> String {
    // Lone surrogates, which Python lets through, become replacement characters.
    String(decoding: try bytes(count), as: UTF8.self)
  }

  /// Up to the next line feed, which is read and left out.
  mutating func line() throws(FormatError) -> String {
    guard let end = all[position...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw FormatError("it ends in the middle of a line")
    }
    let start = try advance(end - position + 1)
    return String(decoding: all[start..<end], as: UTF8.self)
  }
}
