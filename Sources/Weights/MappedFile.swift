import Foundation

/// Bytes that tensors lie in.
protocol ByteSource: AnyObject, Sendable {
  /// The bytes, in memory as long as what is returned is held.
  func mapped() throws -> MappedFile
  /// Gives the memory of these bytes back where that can be done.
  func forget(_ range: Range<Int>)
}

/// A file mapped read-only into memory; unmapped when the last reference goes.
///
/// The bytes must not change while they are mapped: weights are replaced by writing a new file and
/// renaming it (as ``SafeTensors/write(_:metadata:to:)`` does), which leaves this mapping intact.
public final class MappedFile: ByteSource, @unchecked Sendable {
  /// The file's bytes.
  public let bytes: UnsafeRawBufferPointer

  /// Maps the file at `url`.
  ///
  /// - Throws: `WeightsError.file` if it cannot be opened, is no regular file or cannot be mapped.
  public init(_ url: URL) throws {
    let (descriptor, size) = try RegularFile.open(url.path)
    defer { close(descriptor) }
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else {
      throw WeightsError.file(
        path: url.path, reason: "cannot map the file (\(String(cString: strerror(errno))))")
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  /// Memory of its own instead of a file's.
  /// - Parameter fill: writes all of it.
  /// - Throws: `FormatError` when there is no room for it, and what `fill` throws.
  init(count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(FormatError) -> Void)
    throws(FormatError)
  {
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard
      let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { throw FormatError("there is no memory for \(count) bytes") }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
    try fill(UnsafeMutableRawBufferPointer(start: base, count: count))
  }

  /// The bytes, copied.
  var copy: [UInt8] { withExtendedLifetime(self) { Array(bytes) } }

  /// See `ByteSource`.
  func mapped() -> MappedFile { self }

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
