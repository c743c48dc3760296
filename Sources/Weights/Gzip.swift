import CZlib
import Foundation

/// Unpacks gzip data (RFC 1952) held in memory, by zlib.
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
    guard data.count >= 18, data.starts(with: [0x1F, 0x8B, 8]) else { throw .notGzip }
    var stream = z_stream()
    // 15 bits of window, and 16 more to say that the data is gzip and not zlib's own.
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else { throw .corrupt }
    defer { inflateEnd(&stream) }

    var input = [UInt8](data)
    var output: [UInt8] = []
    var status = Z_OK
    input.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(clamping: input.count)
      // One byte beyond the limit tells too much from just enough.
      while status == Z_OK, output.count <= limit {
        let room = min(1 << 16, limit + 1 - output.count)
        let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
          stream.next_out = buffer.baseAddress
          stream.avail_out = UInt32(room)
          status = inflate(&stream, Z_NO_FLUSH)
          count = room - Int(stream.avail_out)
        }
        output += chunk
      }
    }
    guard output.count <= limit else { throw .tooLarge(limit: limit) }
    switch status {
    case Z_STREAM_END: return Data(output)
    case Z_BUF_ERROR, Z_OK: throw .truncated
    default: throw .corrupt
    }
  }
}
