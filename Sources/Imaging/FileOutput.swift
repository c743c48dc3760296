import Foundation

/// Files that are there whole or not at all.
package enum FileOutput {
  /// Writes a file all or nothing, and without `replacing` only where there is none.
  package static func write(_ data: Data, to path: String, replacing: Bool) throws {
    let target = URL(fileURLWithPath: path).path
    if !replacing { try refuseExisting(path) }
    let temporary = temporaryName(beside: target)
    try removing(temporary, ifNotMovedTo: path) {
      try fill(temporary, with: data)
      try replacing ? moveOver(temporary, target) : moveBeside(temporary, target)
    }
  }

  /// Throws `ImagingError.exists` when anything has this name, a dangling link too.
  static func refuseExisting(_ path: String) throws {
    var status = stat()
    if lstat(URL(fileURLWithPath: path).path, &status) == 0 {
      throw ImagingError.exists(path: path)
    }
  }

  /// A hidden name that nobody else uses, in the folder of `target`.
  static func temporaryName(beside target: String) -> String {
    let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
    let tag = String(UInt64.random(in: .min ... .max), radix: 36)
    return (folder == "/" ? "" : folder) + "/.\(tag).part"
  }

  /// Gives a complete temporary file its name if that is free; removes it if not.
  static func move(_ temporary: String, to path: String) throws {
    try removing(temporary, ifNotMovedTo: path) {
      try moveBeside(temporary, URL(fileURLWithPath: path).path)
    }
  }

  private static func removing(
    _ temporary: String, ifNotMovedTo path: String, _ body: () throws -> Void
  ) throws {
    do {
      try body()
    } catch let failure as Failure {
      unlink(temporary)
      if failure.code == EEXIST { throw ImagingError.exists(path: path) }
      throw ImagingError.unwritable(path: path, reason: String(cString: strerror(failure.code)))
    }
  }

  private struct Failure: Error { let code: Int32 }

  private static func fill(_ path: String, with data: Data) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw Failure(code: errno) }
    var code: Int32 = 0
    data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Foundation.write(
          file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if count == 0 || errno != EINTR {
          code = count == 0 ? ENOSPC : errno
          return
        }
      }
    }
    if code == 0, fsync(file) != 0 { code = errno }
    if close(file) != 0, code == 0 { code = errno }
    if code != 0 { throw Failure(code: code) }
  }

  private static func moveOver(_ temporary: String, _ target: String) throws {
    guard rename(temporary, target) == 0 else { throw Failure(code: errno) }
  }

  /// Gives the file its name only if that is free: `link` refuses an existing name atomically.
  private static func moveBeside(_ temporary: String, _ target: String) throws {
    if link(temporary, target) == 0 {
      unlink(temporary)
      return
    }
    let code = errno
    guard [EPERM, ENOTSUP, ENOSYS, EMLINK].contains(code) else { throw Failure(code: code) }
    // A file system without hard links: claim the name first, then move over the empty claim.
    let claim = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard claim >= 0 else { throw Failure(code: errno) }
    close(claim)
    do {
      try moveOver(temporary, target)
    } catch {
      unlink(target)
      throw error
    }
  }
}
