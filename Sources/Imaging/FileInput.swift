import Foundation

/// Bounds on what is read from a file, checked before pixels are decoded.
public struct ReadingLimits: Sendable, Equatable {
  /// Most pixels of a picture; 64 million unless told otherwise.
  public var pixels: Int
  /// Most bytes of a file; 256 MiB unless told otherwise.
  public var bytes: Int

  /// Makes limits.
  public init(pixels: Int = 64_000_000, bytes: Int = 256 << 20) {
    self.pixels = pixels
    self.bytes = bytes
  }
}

enum FileInput {
  /// Reads a regular file of at most `limit` bytes.
  static func read(_ path: String, limit: Int) throws -> Data {
    // Non-blocking, so that a named pipe without a writer is refused rather than waited for.
    let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else {
      throw ImagingError.unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw ImagingError.unreadable(
        path: path, reason: isFolder ? "it is a folder" : "it is not a regular file")
    }
    guard Int(status.st_size) <= limit else { throw tooLarge(path, Int(status.st_size), limit) }
    do {
      let data = try handle.read(upToCount: limit + 1) ?? Data()
      guard data.count <= limit else { throw tooLarge(path, data.count, limit) }
      return data
    } catch let error as ImagingError {
      throw error
    } catch {
      throw ImagingError.unreadable(path: path, reason: error.localizedDescription)
    }
  }

  static func tooLarge(_ name: String, _ count: Int, _ limit: Int) -> ImagingError {
    .tooLarge(name: name, reason: "\(count) bytes; at most \(limit) are read")
  }
}
