/// The members of a ZIP archive as PyTorch writes it: stored without compression, so that each is a
/// range of the mapped file. Archives that were packed again have compressed members.
///
/// Follows PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3 (ZIP64). Nothing is unpacked to disk and no
/// name is ever used as a path; names that could be meant as one outside the archive are refused all
/// the same, since no honest writer makes them.
struct ZipArchive {
  /// The names of all members.
  var names: some Collection<String> { members.keys }

  /// One member.
  struct Member: Sendable {
    /// Where it lies in the archive.
    let range: Range<Int>
    /// Bytes that it has unpacked.
    let size: Int
    /// Whether it is deflated.
    let isPacked: Bool
    /// CRC-32 of its bytes unpacked.
    let checksum: Int
  }

  private let members: [String: Member]

  private static let mostMembers = 1 << 20
  /// How many times smaller deflating makes anything at most (zlib's technical details).
  private static let mostRatio = 1032

  init(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    let directory = try Self.directory(bytes)
    guard directory.count <= Self.mostMembers else {
      throw FormatError("it claims \(directory.count) members")
    }
    var members: [String: Member] = [:]
    var reader = ByteReader(bytes, at: directory.start)
    for _ in 0..<directory.count {
      guard let (name, member) = try Self.member(&reader, bytes) else { continue }
      guard members.updateValue(member, forKey: name) == nil else {
        throw FormatError("it has two members called '\(name.prefix(80))'")
      }
    }
    self.members = members
  }

  /// A member; nil when there is none of that name.
  func member(_ name: String) -> Member? { members[name] }

  /// Finds the central directory from the archive's end.
  private static func directory(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> (
    start: Int, count: Int
  ) {
    let signature: [UInt8] = [0x50, 0x4B, 5, 6]
    // The record is 22 bytes and a comment of at most 65,535.
    let earliest = max(0, bytes.count - 22 - 65_535)
    var end = bytes.count - 22
    while end >= earliest, !bytes[end..<end + 4].elementsEqual(signature) { end -= 1 }
    guard end >= earliest else { throw FormatError("it has no central directory: is it cut off?") }
    var reader = ByteReader(bytes, at: end + 4)
    _ = try reader.bytes(6)
    var count = try reader.unsigned(2)
    _ = try reader.unsigned(4)  // size
    var start = try reader.unsigned(4)
    if count == 0xFFFF || start == 0xFFFF_FFFF {
      // ZIP64: a locator of 20 bytes stands before the record and says where the larger one is.
      guard end >= 20 else { throw FormatError("its ZIP64 locator is missing") }
      var locator = ByteReader(bytes, at: end - 20)
      guard try locator.unsigned(4) == 0x0706_4B50 else {
        throw FormatError("its ZIP64 locator is missing")
      }
      _ = try locator.unsigned(4)
      var record = try ByteReader(bytes, at: checked(locator.unsigned(8), within: bytes.count))
      guard try record.unsigned(4) == 0x0606_4B50 else {
        throw FormatError("its ZIP64 record is missing")
      }
      _ = try record.bytes(28)
      count = try record.unsigned(8)
      _ = try record.unsigned(8)
      start = try record.unsigned(8)
    }
    return (try checked(start, within: bytes.count), count)
  }

  private static func checked(_ offset: Int, within size: Int) throws(FormatError) -> Int {
    guard (0...size).contains(offset) else { throw FormatError("it points beyond its end") }
    return offset
  }

  /// One entry of the central directory, and the data it points to.
  private static func member(
    _ reader: inout ByteReader, _ bytes: UnsafeRawBufferPointer
  ) throws(FormatError) -> (name: String, member: Member)? {
    guard try reader.unsigned(4) == 0x0201_4B50 else {
      throw FormatError("its central directory is damaged")
    }
    _ = try reader.bytes(4)
    let flags = try reader.unsigned(2)
    let method = try reader.unsigned(2)
    _ = try reader.bytes(4)
    let checksum = try reader.unsigned(4)
    var packed = try reader.unsigned(4)
    var size = try reader.unsigned(4)
    let nameLength = try reader.unsigned(2)
    let extraLength = try reader.unsigned(2)
    let commentLength = try reader.unsigned(2)
    _ = try reader.bytes(8)
    var offset = try reader.unsigned(4)
    let name = try name(reader.bytes(nameLength))
    try widen(&size, &packed, &offset, extra: reader.bytes(extraLength))
    _ = try reader.bytes(commentLength)

    guard flags & 1 == 0 else { throw FormatError("'\(name)' is encrypted") }
    // Other ways of packing are left alone: torch reads none of them.
    guard method == 0 || method == 8 else { return nil }
    guard method == 8 || packed == size else { throw FormatError("'\(name)' has two sizes") }
    guard size / mostRatio <= packed else {
      throw FormatError("'\(name)' claims to unpack to \(size) bytes")
    }
    // The local header's own name and extra field decide where the data begins.
    var local = try ByteReader(bytes, at: checked(offset, within: bytes.count))
    guard try local.unsigned(4) == 0x0403_4B50 else {
      throw FormatError("'\(name)' is not where the directory says")
    }
    _ = try local.bytes(22)
    let skipped = try local.unsigned(2) + local.unsigned(2)
    _ = try local.bytes(skipped)
    guard packed <= local.remaining else { throw FormatError("'\(name)' reaches beyond the file") }
    let member = Member(
      range: local.position..<local.position + packed, size: size, isPacked: method == 8,
      checksum: checksum)
    return (name, member)
  }

  private static func name(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> String {
    guard let name = String(validating: bytes, as: UTF8.self) else {
      throw FormatError("a member's name is not UTF-8")
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("\\"), !name.contains("\0"),
      !parts.contains("..")
    else { throw FormatError("a member has the name '\(name.prefix(80))'") }
    return name
  }

  /// Replaces what did not fit into 32 bits by the ZIP64 extra field's values, which follow in the
  /// order size, packed size, offset, each only if it is needed.
  private static func widen(
    _ size: inout Int, _ packed: inout Int, _ offset: inout Int, extra: UnsafeRawBufferPointer
  ) throws(FormatError) {
    let full = 0xFFFF_FFFF
    guard size == full || packed == full || offset == full else { return }
    var reader = ByteReader(extra)
    while reader.remaining >= 4 {
      let id = try reader.unsigned(2)
      let length = try reader.unsigned(2)
      var field = try ByteReader(reader.bytes(length))
      guard id == 1 else { continue }
      if size == full { size = try field.unsigned(8) }
      if packed == full { packed = try field.unsigned(8) }
      if offset == full { offset = try field.unsigned(8) }
      return
    }
    throw FormatError("a member's ZIP64 sizes are missing")
  }
}
