import CZlib
import Foundation
import Testing

@testable import Weights

/// Writes ZIP archives of stored members, sound or not.
struct ZipWriter {
  struct Member {
    var name: String
    var bytes: [UInt8]
    var flags = 0
    var method = 0
    /// What `bytes` unpack to; nil when they are not packed.
    var whole: [UInt8]?
    /// Added to the offset that the directory gives.
    var offsetError = 0
    /// Added to the size that the directory gives.
    var sizeError = 0
  }

  var members: [Member]
  /// Whether sizes, offsets and the end are written in 64 bits.
  var is64 = false

  func bytes() -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let offset = file.count + member.offsetError
      let size = member.whole?.count ?? member.bytes.count
      let packed = member.bytes.count
      let checksum = Int(
        crc32(0, member.whole ?? member.bytes, UInt32((member.whole ?? member.bytes).count)))
      let name = Array(member.name.utf8)
      file += little(0x0403_4B50, 4) + little(45, 2) + little(member.flags, 2)
      file += little(member.method, 2) + little(0, 4) + little(checksum, 4)
      file += little(packed, 4) + little(size, 4)
      // As torch does, the local header has an extra field for alignment that the directory has not.
      file += little(name.count, 2) + little(7, 2) + name + little(0, 7) + member.bytes

      let told = size + member.sizeError
      let kept = member.whole == nil ? told : packed
      let extra =
        is64
        ? little(1, 2) + little(24, 2) + little(told, 8) + little(kept, 8) + little(offset, 8) : []
      let short = { (value: Int) in little(is64 ? 0xFFFF_FFFF : value, 4) }
      directory += little(0x0201_4B50, 4) + little(45, 2) + little(45, 2) + little(member.flags, 2)
      directory += little(member.method, 2) + little(0, 4) + little(checksum, 4)
      directory += short(kept) + short(told)
      directory += little(name.count, 2) + little(extra.count, 2) + little(0, 2) + little(0, 8)
      directory += short(offset) + name + extra
    }
    let start = file.count
    file += directory
    if is64 {
      let record = file.count
      file += little(0x0606_4B50, 4) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8)
      file += little(members.count, 8) + little(members.count, 8)
      file += little(directory.count, 8) + little(start, 8)
      file += little(0x0706_4B50, 4) + little(0, 4) + little(record, 8) + little(1, 4)
    }
    file += little(0x0605_4B50, 4) + little(0, 4)
    file += little(is64 ? 0xFFFF : members.count, 2) + little(is64 ? 0xFFFF : members.count, 2)
    file += little(directory.count, 4) + little(is64 ? 0xFFFF_FFFF : start, 4) + little(0, 2)
    return file
  }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 < 8 ? value >> (8 * $0) : 0) }
  }
}

@Suite("ZIP archives")
struct ZipArchiveTests {
  private func open(_ writer: ZipWriter) throws -> [String: [UInt8]] {
    let bytes = writer.bytes()
    return try bytes.withUnsafeBytes { buffer in
      let archive = try ZipArchive(buffer)
      return try archive.names.reduce(into: [:]) { found, name in
        found[name] = try archive.member(name).map { try $0.unpacked(from: buffer).copy }
      }
    }
  }

  @Test("members are found where they lie, in 32 bits and in 64", arguments: [false, true])
  func sound(is64: Bool) throws {
    let members = [
      ("a/data.pkl", [1, 2, 3]), ("a/data/0", [UInt8](repeating: 9, count: 100)), ("a/empty", []),
    ]
    let writer = ZipWriter(
      members: members.map { .init(name: $0.0, bytes: $0.1) }, is64: is64)
    #expect(try open(writer) == Dictionary(uniqueKeysWithValues: members))
  }

  @Test(
    "what no honest writer makes is refused with a reason",
    arguments: [
      ([.init(name: "a", bytes: [1]), .init(name: "a", bytes: [2])], "two members"),
      ([.init(name: "../a", bytes: [1])], "name"), ([.init(name: "/a", bytes: [1])], "name"),
      ([.init(name: "a/../../b", bytes: [1])], "name"), ([.init(name: "", bytes: [1])], "name"),
      ([.init(name: "a\\b", bytes: [1])], "name"),
      ([.init(name: "a", bytes: [1], flags: 1)], "encrypted"),
      ([.init(name: "a", bytes: [1], method: 8)], "damaged"),
      (
        [.init(name: "a", bytes: [1], method: 8, whole: Array(repeating: 0, count: 4000))], "claims"
      ),
      ([.init(name: "a", bytes: [1], offsetError: 1)], "not where"),
      ([.init(name: "a", bytes: [1], offsetError: 1 << 30)], "beyond"),
      ([.init(name: "a", bytes: [1], sizeError: 1 << 20)], "beyond"),
    ] as [([ZipWriter.Member], String)], [false, true])
  func refused(problem: (members: [ZipWriter.Member], words: String), is64: Bool) {
    let error = #expect(throws: FormatError.self) {
      try open(ZipWriter(members: problem.members, is64: is64))
    }
    #expect(error?.reason.contains(problem.words) == true, "\(error?.reason ?? "")")
  }

  @Test("an archive that is cut anywhere is refused")
  func cut() {
    let bytes = ZipWriter(members: [.init(name: "a", bytes: [1, 2, 3])], is64: true).bytes()
    for length in 0..<bytes.count {
      #expect(throws: FormatError.self) {
        try Array(bytes.prefix(length)).withUnsafeBytes { _ = try ZipArchive($0) }
      }
    }
  }
}
