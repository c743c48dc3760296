import Foundation

/// Unpacks gzip (RFC 1952) and deflate (RFC 1951) data held in memory.
public enum Gzip {
  /// Why data cannot be unpacked.
  public enum Failure: Error, Equatable, CustomStringConvertible {
    case notGzip, truncated, corrupt
    case tooLarge(limit: Int)

    /// The sentence for the user.
    public var description: String {
      switch self {
      case .notGzip: "it is not gzip data"
      case .truncated: "the gzip data ends too early"
      case .corrupt: "the gzip data is damaged"
      case .tooLarge(let limit): "it unpacks to more than \(limit) bytes"
      }
    }
  }

  /// The contents of the first member of a gzip file; its checksum is verified.
  ///
  /// - Parameter limit: the most bytes to unpack, against archives made to fill memory.
  public static func unpack(_ data: Data, limit: Int) throws(Failure) -> Data {
    let bytes = [UInt8](data)
    guard bytes.count >= 18, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else {
      throw .notGzip
    }
    let flags = bytes[3]
    var at = 10
    if flags & 4 != 0 {
      guard at + 2 <= bytes.count else { throw .truncated }
      at += 2 + Int(bytes[at]) + Int(bytes[at + 1]) << 8
    }
    for flag in [8, 16] as [UInt8] where flags & flag != 0 {  // name, comment: end with a zero
      while at < bytes.count, bytes[at] != 0 { at += 1 }
      at += 1
    }
    if flags & 2 != 0 { at += 2 }
    guard at < bytes.count else { throw .truncated }
    var inflater = Inflater(bytes, at: at, limit: limit)
    try inflater.run()
    let end = inflater.at
    guard end + 8 <= bytes.count else { throw .truncated }
    let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << (8 * UInt32($1)) }
    guard sum == crc32(inflater.output) else { throw .corrupt }
    return Data(inflater.output)
  }

  /// The CRC-32 of ISO 3309, which gzip, zip and PNG share.
  public static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xFF)] }
  }

  private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
    (0..<8).reduce(index) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
  }
}

/// Deflate, RFC 1951.
private struct Inflater {
  private(set) var output: [UInt8] = []
  private(set) var at: Int
  private let bytes: [UInt8]
  private let limit: Int
  private var bits: UInt32 = 0
  private var bitCount = 0

  init(_ bytes: [UInt8], at: Int, limit: Int) {
    self.bytes = bytes
    self.at = at
    self.limit = limit
  }

  /// Canonical Huffman code: how many codes of each length, and the symbols in order of code.
  struct Code {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    init(lengths: ArraySlice<Int>) throws(Gzip.Failure) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      var left = 1
      for length in 1...15 {
        left = left * 2 - counts[length]
        guard left >= 0 else { throw .corrupt }
      }
      symbols = zip(lengths, 0...).filter { $0.0 > 0 }.sorted { $0 < $1 }.map(\.1)
    }
  }

  mutating func take(_ count: Int) throws(Gzip.Failure) -> Int {
    while bitCount < count {
      guard at < bytes.count else { throw .truncated }
      bits |= UInt32(bytes[at]) << UInt32(bitCount)
      bitCount += 8
      at += 1
    }
    defer {
      bits >>= UInt32(count)
      bitCount -= count
    }
    return Int(bits & (1 << UInt32(count) - 1))
  }

  mutating func symbol(_ code: Code) throws(Gzip.Failure) -> Int {
    var value = 0
    var first = 0
    var index = 0
    for length in 1...15 {
      value |= try take(1)
      let count = code.counts[length]
      if value - first < count { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw .corrupt
  }

  mutating func run() throws(Gzip.Failure) {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try stored()
      case 1: try compressed(Self.fixedLengths, literals: 288)
      case 2:
        let (lengths, literals) = try dynamicLengths()
        try compressed(lengths, literals: literals)
      default: throw .corrupt
      }
    }
    at -= bitCount / 8  // whole bytes that were read ahead
  }

  private static let fixedLengths =
    Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112)
    + Array(repeating: 7, count: 24) + Array(repeating: 8, count: 8)
    + Array(repeating: 5, count: 30)

  private mutating func stored() throws(Gzip.Failure) {
    _ = try take(bitCount % 8)
    let length = try take(16)
    guard try take(16) == ~length & 0xFFFF else { throw .corrupt }
    guard at + length <= bytes.count else { throw .truncated }
    guard output.count + length <= limit else { throw .tooLarge(limit: limit) }
    output.append(contentsOf: bytes[at..<at + length])
    at += length
  }

  private mutating func dynamicLengths() throws(Gzip.Failure) -> (lengths: [Int], literals: Int) {
    let literals = try take(5) + 257
    let distances = try take(5) + 1
    let count = try take(4) + 4
    var codeLengths = [Int](repeating: 0, count: 19)
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    for place in order.prefix(count) { codeLengths[place] = try take(3) }
    let code = try Code(lengths: codeLengths[...])
    var lengths: [Int] = []
    while lengths.count < literals + distances {
      switch try symbol(code) {
      case 16:
        guard let last = lengths.last else { throw .corrupt }
        lengths += Array(repeating: last, count: try take(2) + 3)
      case 17: lengths += Array(repeating: 0, count: try take(3) + 3)
      case 18: lengths += Array(repeating: 0, count: try take(7) + 11)
      case let length: lengths.append(length)
      }
    }
    guard lengths.count == literals + distances else { throw .corrupt }
    return (lengths, literals)
  }

  private mutating func compressed(_ lengths: [Int], literals: Int) throws(Gzip.Failure) {
    let literal = try Code(lengths: lengths[..<literals])
    let distance = try Code(lengths: lengths[literals...])
    while true {
      let value = try symbol(literal)
      if value < 256 {
        guard output.count < limit else { throw .tooLarge(limit: limit) }
        output.append(UInt8(value))
      } else if value == 256 {
        return
      } else {
        guard value <= 285 else { throw .corrupt }
        let length = try extended(value - 257, Self.lengthBases, Self.lengthBits)
        let place = try symbol(distance)
        guard place < 30 else { throw .corrupt }
        let back = try extended(place, Self.distanceBases, Self.distanceBits)
        guard back <= output.count else { throw .corrupt }
        guard output.count + length <= limit else { throw .tooLarge(limit: limit) }
        for _ in 0..<length { output.append(output[output.count - back]) }
      }
    }
  }

  private mutating func extended(_ index: Int, _ bases: [Int], _ bits: [Int])
    throws(Gzip.Failure) -> Int
  {
    bases[index] + (try take(bits[index]))
  }

  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let distanceBits = (0..<30).map { max(0, $0 / 2 - 1) }
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
}
