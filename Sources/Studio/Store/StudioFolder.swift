import Foundation
import Imaging
import Library

/// Where a studio keeps what is its own:
///
/// ```
/// studio.sqlite      queue, events, pictures, collections
/// pictures/          finished pictures, in folders by the first letters of their names
/// thumbnails/        small ones, made again when they are missing
/// inputs/            files that requests name, by their SHA-256
/// runs/              a folder for each job that has begun and is not done
/// kept/              for each job that is painted elsewhere, what its worker has handed in
/// name               by which a broker of jobs knows the studio
/// token              the word that clients must know when the studio is open to a network
/// studio.lock        held while a studio serves
/// ```
///
/// Names in it are made by the program, never by clients.
public struct StudioFolder: Sendable {
  /// The folder.
  public let url: URL

  /// - Parameter url: need not exist yet.
  public init(_ url: URL) { self.url = url }

  /// The user's own: `REVERIE_STUDIO`, else `$XDG_DATA_HOME/reverie/studio`.
  public static func standard(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> StudioFolder {
    if let path = environment["REVERIE_STUDIO"], !path.isEmpty {
      return StudioFolder(URL(filePath: path, directoryHint: .isDirectory))
    }
    return StudioFolder(
      XDG.data(environment).appending(path: "reverie/studio", directoryHint: .isDirectory))
  }

  /// The database.
  public var database: URL { url.appending(path: "studio.sqlite") }
  /// The token's file.
  public var token: URL { url.appending(path: "token") }
  var pictures: URL { url.appending(path: "pictures", directoryHint: .isDirectory) }
  var thumbnails: URL { url.appending(path: "thumbnails", directoryHint: .isDirectory) }
  var inputs: URL { url.appending(path: "inputs", directoryHint: .isDirectory) }
  var runs: URL { url.appending(path: "runs", directoryHint: .isDirectory) }

  var kept: URL { url.appending(path: "kept", directoryHint: .isDirectory) }

  /// What a worker elsewhere has handed in of a job.
  func kept(of job: String) -> KeptFiles {
    KeptFiles(folder: kept.appending(path: job, directoryHint: .isDirectory))
  }

  func run(of job: String) -> URL {
    runs.appending(path: "\(job).run", directoryHint: .isDirectory)
  }

  func picture(_ id: String) -> URL { pictures.appending(path: "\(id.prefix(6))/\(id).png") }

  /// A film; in other kinds of file it is made of the MP4 when it is first asked for.
  func film(_ id: String, as ending: String = "mp4") -> URL {
    pictures.appending(path: "\(id.prefix(6))/\(id).\(ending)")
  }

  /// All files of a picture.
  func files(of id: String) -> [URL] {
    [picture(id), attention(id), trace(id), thumbnail(id)]
      + VideoFormat.allCases.map { film(id, as: $0.rawValue) }
  }

  /// The sheet that shows which word painted where.
  func attention(_ id: String) -> URL {
    pictures.appending(path: "\(id.prefix(6))/\(id).attention.png")
  }

  /// What tells how it came about.
  func trace(_ id: String) -> URL {
    pictures.appending(path: "\(id.prefix(6))/\(id).trace.json")
  }

  func thumbnail(_ id: String) -> URL { thumbnails.appending(path: "\(id.prefix(6))/\(id).webp") }

  func input(_ sha256: String, ending: String) -> URL {
    inputs.appending(path: "\(sha256).\(ending)")
  }

  /// The file that a worker of a device holds while it lives, so that there are never two.
  func workerLock(_ device: String) -> URL {
    url.appending(path: "worker-\(device.replacingOccurrences(of: ":", with: "-")).lock")
  }

  /// Makes the folders.
  /// - Throws: `StudioError.folder`.
  public func make() throws {
    do {
      try FileManager.default.createDirectory(
        at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      for folder in [pictures, thumbnails, inputs, runs, kept] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      }
    } catch {
      throw StudioError.folder(path: url.path, reason: "it cannot be made")
    }
    guard access(url.path, W_OK | X_OK) == 0 else {
      throw StudioError.folder(path: url.path, reason: String(cString: strerror(errno)))
    }
  }

  /// The name under which a broker keeps this studio's jobs: the one that was made before, or a new one.
  public func keptName() throws -> String {
    let file = url.appending(path: "name")
    if let text = try? String(contentsOf: file, encoding: .utf8) {
      let word = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if (8...32).contains(word.count), Identifier.isPlausible(word) { return word }
    }
    let word = Identifier.random(length: 12)
    try Data((word + "\n").utf8).write(to: file, options: .atomic)
    return word
  }

  /// Holds the folder until the lock is let go, so that two studios never serve it.
  /// - Throws: `StudioError.busy` while another studio holds it.
  public func lock() throws -> FolderLock {
    guard let lock = FolderLock(url.appending(path: "studio.lock"), waits: false) else {
      throw StudioError.busy(path: url.path)
    }
    return lock
  }

  /// The word that clients must know: the one that was made before, or a new one.
  public func keptToken() throws -> String {
    if let text = try? String(contentsOf: token, encoding: .utf8) {
      let word = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if word.count >= 16 { return word }
    }
    let word = Identifier.random(length: 32)
    let descriptor = open(token.path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StudioError.folder(path: token.path, reason: String(cString: strerror(errno)))
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try file.write(contentsOf: Data((word + "\n").utf8))
    return word
  }
}

/// A lock on a file, which the system lets go when the process ends, however it ends.
public final class FolderLock: Sendable {
  private let descriptor: Int32

  /// - Parameter waits: whether to wait for whoever holds it.
  /// - Returns: nil when it is held by another, or cannot be opened.
  init?(_ file: URL, waits: Bool) {
    descriptor = open(file.path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      guard errno == EINTR else { return nil }
    }
  }

  deinit { close(descriptor) }
}

/// What can be wrong with a studio as a whole.
public enum StudioError: Error, Equatable, CustomStringConvertible {
  /// Its folder is not usable.
  case folder(path: String, reason: String)
  /// Another studio serves from the folder.
  case busy(path: String)
  /// The database was written by a newer program.
  case newer(path: String)
  /// It cannot listen there.
  case address(host: String, port: Int, reason: String)

  /// One or two sentences for the user, with the next step.
  public var description: String {
    switch self {
    case .folder(let path, let reason):
      "\(path), where the studio keeps its pictures, cannot be used: \(reason). Name another with "
        + "--data."
    case .busy(let path):
      "Another reverie serve is using \(path). Stop that one, or name another folder with --data."
    case .newer(let path):
      "\(path) was written by a newer Reverie. Use that one, or name another folder with --data."
    case .address(let host, let port, let reason):
      "Port \(port) of \(host) cannot be had: \(reason)."
    }
  }
}

/// Names for jobs: 26 letters and digits that sort by time (as ULIDs do), in Crockford's base 32.
enum Identifier {
  private static let letters = Array("0123456789abcdefghjkmnpqrstvwxyz")

  static func new(at date: Date = Date()) -> String {
    var milliseconds = UInt64(max(0, date.timeIntervalSince1970 * 1_000))
    var head: [Character] = []
    for _ in 0..<10 {
      head.append(letters[Int(milliseconds & 31)])
      milliseconds >>= 5
    }
    return String(head.reversed()) + random(length: 16)
  }

  static func random(length: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return String((0..<length).map { _ in letters[Int.random(in: 0..<32, using: &generator)] })
  }

  /// Whether a text could be one, with the number of a picture behind it or without.
  static func isPlausible(_ text: String) -> Bool {
    text.utf8.count <= 32
      && text.utf8.allSatisfy {
        (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
      }
  }
}
