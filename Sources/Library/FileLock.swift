import Foundation
import Synchronization

/// A lock on a folder, which the system lets go when the process ends, however it ends: a file named
/// `lock` in it that holds the number of the process.
public final class FileLock: Sendable {
  /// Why there is no lock; the text stands after the folder's name.
  public enum Failure: Error, Equatable, CustomStringConvertible {
    /// Another process has it; which one, where its file tells.
    case busy(process: Int?)
    /// Nothing can be written there.
    case unwritable(String)

    /// What stands after the folder's name.
    public var description: String {
      switch self {
      case .busy(let process?): "is in use by process \(process)"
      case .busy(nil): "is in use by another process"
      case .unwritable(let reason): "cannot be written to: \(reason)"
      }
    }
  }

  private let held: Held

  /// Locks a folder, which is made where there is none.
  /// - Parameter sharing: whether others in this process may have it at the same time.
  /// - Throws: `Failure`.
  public init(folder: URL, sharing: Bool = false) throws(Failure) {
    let isNew = !FileManager.default.fileExists(atPath: folder.path)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(error.localizedDescription)
    }
    held = try Held.taking(folder.appending(path: "lock"), sharing, madeFolder: isNew)
  }
}

/// A lock that this process has.
private final class Held: Sendable {
  private struct File: Hashable {
    let device: UInt64
    let number: UInt64
  }

  private struct Weak {
    weak var held: Held?
  }

  private static let all = Mutex<[File: Weak]>([:])

  private let descriptor: Int32
  private let file: URL
  private let madeFolder: Bool

  private init(_ descriptor: Int32, _ file: URL, madeFolder: Bool) {
    (self.descriptor, self.file, self.madeFolder) = (descriptor, file, madeFolder)
  }

  // Under the same mutex as `taking`: whoever asks finds the lock held, or let go of.
  deinit {
    Self.all.withLock { all in
      if let key = Self.key(descriptor), all[key]?.held == nil { all[key] = nil }
      if Self.isSame(descriptor, file) { unlink(file.path) }
      if madeFolder { rmdir(file.deletingLastPathComponent().path) }
      close(descriptor)
    }
  }

  /// The lock of a file: a new one, or, where it may be shared, the one that this process has.
  static func taking(_ file: URL, _ sharing: Bool, madeFolder: Bool) throws(FileLock.Failure)
    -> Held
  {
    while true {
      let descriptor = open(file.path, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw .unwritable(String(cString: strerror(errno))) }
      let found = all.withLock { all -> Result<Held, FileLock.Failure>? in
        if sharing, let own = key(descriptor).flatMap({ all[$0]?.held }) { return .success(own) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
          return .failure(.busy(process: number(in: descriptor)))
        }
        // File systems that have no locks are used without. Whoever had it before may have removed the file
        // meanwhile: then another one counts.
        guard isSame(descriptor, file) else { return nil }
        ftruncate(descriptor, 0)
        let digits = Array("\(getpid())\n".utf8)
        _ = pwrite(descriptor, digits, digits.count, 0)
        let held = Held(descriptor, file, madeFolder: madeFolder)
        if let key = key(descriptor) { all[key] = Weak(held: held) }
        return .success(held)
      }
      if case .success(let held)? = found, held.descriptor == descriptor { return held }
      close(descriptor)
      if let found { return try found.get() }
    }
  }

  private static func number(in descriptor: Int32) -> Int? {
    var digits = [UInt8](repeating: 0, count: 20)
    let count = max(0, pread(descriptor, &digits, digits.count, 0))
    return Int(String(decoding: digits.prefix(count), as: UTF8.self).filter { $0 != "\n" })
  }

  private static func key(_ descriptor: Int32) -> File? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    return File(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
  }

  private static func isSame(_ descriptor: Int32, _ file: URL) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && stat(file.path, &named) == 0
      && open.st_ino == named.st_ino && open.st_dev == named.st_dev
  }
}
