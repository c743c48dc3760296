import CZlib
import Foundation
import Synchronization

/// A compressed member of an archive. It is unpacked when one of its tensors is read, and held as long as
/// one is.
final class PackedMember: ByteSource {
  private let archive: MappedFile
  private let member: ZipArchive.Member
  private struct Unpacked { weak var file: MappedFile? }
  private let unpacked = Mutex(Unpacked())

  init(_ archive: MappedFile, _ member: ZipArchive.Member) {
    (self.archive, self.member) = (archive, member)
  }

  func mapped() throws -> MappedFile {
    try unpacked.withLock { unpacked in
      if let file = unpacked.file { return file }
      let file = try member.unpacked(from: archive.bytes)
      unpacked.file = file
      return file
    }
  }

  func forget(_ range: Range<Int>) {}
}

extension ZipArchive.Member {
  /// The member's own bytes.
  /// - Throws: `FormatError` when they are damaged, or are not as many as the directory says.
  func unpacked(from archive: UnsafeRawBufferPointer) throws(FormatError) -> MappedFile {
    let packed = UnsafeRawBufferPointer(rebasing: archive[range])
    return try MappedFile(count: size) { target throws(FormatError) in
      guard isPacked else { return target.copyMemory(from: packed) }
      try Self.inflate(packed, into: target)
      guard Self.checksum(UnsafeRawBufferPointer(target)) == checksum else {
        throw FormatError("a compressed member is damaged: its checksum is wrong")
      }
    }
  }

  /// Deflated data (RFC 1951) that must fill `target` to the byte.
  private static func inflate(
    _ packed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(FormatError) {
    let damaged = FormatError("a compressed member is damaged")
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, size) == Z_OK else { throw damaged }
    defer { inflateEnd(&stream) }
    var (read, written, status) = (0, 0, Z_OK)
    let input = UnsafeMutableRawBufferPointer(mutating: packed).assumingMemoryBound(to: UInt8.self)
    let output = target.assumingMemoryBound(to: UInt8.self)
    while status == Z_OK {
      let most = Int(UInt32.max)
      let (offered, room) = (min(packed.count - read, most), min(target.count - written, most))
      stream.next_in = input.baseAddress.map { $0 + read }
      stream.avail_in = UInt32(offered)
      stream.next_out = output.baseAddress.map { $0 + written }
      stream.avail_out = UInt32(room)
      status = CZlib.inflate(&stream, Z_NO_FLUSH)
      let progress = (offered - Int(stream.avail_in), room - Int(stream.avail_out))
      (read, written) = (read + progress.0, written + progress.1)
      if status == Z_OK, progress == (0, 0) { throw damaged }
    }
    guard status == Z_STREAM_END, written == target.count else { throw damaged }
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> Int {
    Int(crc32_z(0, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
  }
}
