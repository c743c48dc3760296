import Foundation

/// A file mapped read-only into memory; unmapped when the last reference goes.
///
/// The bytes must not change while they are mapped: weights are replaced by writing a new file and
/// renaming it (as ``SafeTensors/write(_:metadata:to:)`` does), which leaves this mapping intact.
public final class MappedFile: @unchecked Sendable {
  /// The file's bytes.
  public let bytes: UnsafeRawBufferPointer

  /// Maps the file at `url`.
  ///
  /// - Throws: `WeightsError.file` if it cannot be opened, is a directory or cannot be mapped.
  public init(_ url: URL) throws {
    let path = url.path
    func failure(_ doing: String) -> WeightsError {
      .file(path: path, reason: "cannot \(doing) (\(String(cString: strerror(errno))))")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open the file") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("examine the file") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw WeightsError.file(path: path, reason: "not a file of weights but a folder or a device")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw failure("map the file") }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  /// Gives the memory of these bytes back; the system reads them from the file again when they are
  /// looked at again.
  func forget(_ range: Range<Int>) {
    guard let base = bytes.baseAddress, !range.isEmpty else { return }
    let page = Int(getpagesize())
    let start = range.lowerBound / page * page
    madvise(
      UnsafeMutableRawPointer(mutating: base + start), range.upperBound - start,
      Int32(MADV_DONTNEED))
  }

  deinit {
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }
}
