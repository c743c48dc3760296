import Foundation
import Hummingbird
import NIOCore
import Weights

/// Files as one ZIP file, written as it is sent: each as it is, since pictures and films do not get smaller
/// (PKWARE's APPNOTE 6.3.10; no ZIP64, so that it ends before four gigabytes).
struct ZipStream: Sendable {
  /// A file in it.
  struct Entry: Sendable {
    let name: String
    let file: URL
    /// When it was made, in seconds since 1970.
    let time: Double
  }

  let entries: [Entry]

  var body: ResponseBody {
    ResponseBody { [entries] writer in
      var directory = ByteBuffer()
      var (offset, count) = (0, 0)
      for entry in entries {
        guard let data = try? Data(contentsOf: entry.file) else { continue }
        let size = 30 + entry.name.utf8.count + data.count
        guard offset + size + directory.readableBytes < Int(UInt32.max) - 1_024 else { break }
        let head = Header(entry, data)
        var part = ByteBuffer()
        head.write(to: &part, offset: nil)
        part.writeBytes(data)
        head.write(to: &directory, offset: offset)
        offset += size
        count += 1
        try await writer.write(part)
      }
      let length = directory.readableBytes
      directory.writeMultipleIntegers(
        UInt32(0x0605_4b50), UInt16(0), UInt16(0), UInt16(count), UInt16(count), endianness: .little
      )
      directory.writeMultipleIntegers(
        UInt32(length), UInt32(offset), UInt16(0), endianness: .little)
      try await writer.write(directory)
      try await writer.finish(nil)
    }
  }

  /// What stands before a file, and again in the directory at the end.
  private struct Header {
    let name: String
    let checksum: UInt32
    let size: UInt32
    let time: UInt16
    let date: UInt16

    init(_ entry: Entry, _ data: Data) {
      name = entry.name
      checksum = Checksum.crc32(of: data)
      size = UInt32(data.count)
      let calendar = Calendar(identifier: .gregorian)
      let parts = calendar.dateComponents(
        [.year, .month, .day, .hour, .minute, .second],
        from: Date(timeIntervalSince1970: entry.time))
      func part(_ value: Int?, _ shift: Int) -> UInt16 { UInt16(max(0, value ?? 0) << shift) }
      time = part(parts.hour, 11) | part(parts.minute, 5) | part((parts.second ?? 0) / 2, 0)
      date = part((parts.year ?? 1980) - 1980, 9) | part(parts.month, 5) | part(parts.day, 0)
    }

    /// - Parameter offset: of the file, where this stands in the directory.
    func write(to buffer: inout ByteBuffer, offset: Int?) {
      buffer.writeInteger(UInt32(offset == nil ? 0x0403_4b50 : 0x0201_4b50), endianness: .little)
      if offset != nil { buffer.writeInteger(UInt16(20), endianness: .little) }
      // Version 2.0; names are in UTF-8; stored as it is.
      buffer.writeMultipleIntegers(
        UInt16(20), UInt16(1 << 11), UInt16(0), time, date, endianness: .little)
      buffer.writeMultipleIntegers(
        checksum, size, size, UInt16(name.utf8.count), UInt16(0), endianness: .little)
      if let offset {
        buffer.writeMultipleIntegers(
          UInt16(0), UInt16(0), UInt16(0), UInt32(0), UInt32(offset), endianness: .little)
      }
      buffer.writeString(name)
    }
  }
}
