import ArgumentParser
import Foundation
import Imaging
import Painting

/// Where pictures of one run are written. Nothing is made before there is a picture, and nothing is
/// ever overwritten.
struct Destination {
  private let file: URL?
  private let folder: URL
  private let date: Date
  /// How names are made up; nil is `{date}/{time}-{prompt}-{seed}`.
  private var pattern: OutputPattern?
  /// What stands for `{number}`.
  private var number = 1

  /// The place of a run that goes on.
  init(_ run: RunFolder) throws {
    date = Date()
    pattern = try run.description.name.map(OutputPattern.init)
    number = run.description.number ?? 1
    file = run.description.output.map { URL(filePath: $0) }
    folder = URL(filePath: run.description.folder, directoryHint: .isDirectory)
  }

  /// Checks that the place can be written to.
  /// - Throws: `OutputError`.
  init(_ options: OutputOptions, date: Date = Date()) throws {
    self.date = date
    pattern = try options.outputName.map(OutputPattern.init)
    let environment = ProcessInfo.processInfo.environment
    let outdir = options.outdir ?? environment["REVERIE_OUTPUTS"].flatMap { $0.isEmpty ? nil : $0 }
    folder = URL(filePath: outdir ?? "outputs", directoryHint: .isDirectory)
    file = options.output.map { name in
      name.hasPrefix("/") || options.outdir == nil
        ? URL(filePath: name)
        : URL(filePath: options.outdir ?? ".", directoryHint: .isDirectory).appending(path: name)
    }
    if let file, FileManager.default.fileExists(atPath: file.path) {
      throw OutputError.exists(file.relativePath)
    }
    if let shapes = file?.deletingPathExtension().appendingPathExtension("svg"), options.svg,
      FileManager.default.fileExists(atPath: shapes.path)
    {
      throw OutputError.exists(shapes.relativePath)
    }
    try Self.checkWritable(file?.deletingLastPathComponent() ?? folder)
  }

  /// Whether `folder` can be made and written to, found out without making it.
  private static func checkWritable(_ folder: URL) throws {
    var place = folder.absoluteURL.standardizedFileURL
    var status = stat()
    while stat(place.path, &status) != 0 {
      guard errno == ENOENT || errno == ENOTDIR, place.path != "/" else {
        throw OutputError.unwritable(folder.relativePath, String(cString: strerror(errno)))
      }
      place = place.deletingLastPathComponent()
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw OutputError.unwritable(folder.relativePath, "\(place.path) is not a folder")
    }
    guard access(place.path, W_OK | X_OK) == 0 else {
      throw OutputError.unwritable(folder.relativePath, String(cString: strerror(errno)))
    }
  }

  /// Writes a picture on the way under a name that is not taken.
  /// - Returns: the file.
  func write(_ preview: Event.Preview, request: Request) throws -> URL {
    func padded(_ number: Int, _ count: Int) -> String {
      let digits = "\(number)"
      return "-" + String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
    let suffix = padded(preview.step, 6) + (preview.codes.map { padded($0, 3) } ?? "")
    return try write(preview.picture, request: request, suffix: suffix)
  }

  /// Writes a picture beside others of a request, under a name that is not taken.
  /// - Parameters:
  ///   - suffix: after the stem.
  ///   - ending: of the file; nil is the one that was asked for, else png.
  /// - Returns: the file.
  func write(_ picture: Picture, request: Request, suffix: String, ending: String? = nil) throws
    -> URL
  {
    try makeHome(request)
    for attempt in 1...10_000 {
      let url = url(request, suffix: suffix, attempt: attempt, ending: ending)
      do {
        try picture.write(to: url.path)
        return url
      } catch ImagingError.exists {
        continue
      }
    }
    throw OutputError.exists(url(request, suffix: suffix, attempt: 1).relativePath)
  }

  /// The same place for picture `number` of a list.
  /// - Parameter names: how names are made up where nothing was asked for.
  func numbered(_ number: Int, names: OutputPattern?) -> Destination {
    var copy = self
    copy.number = number
    if file == nil, pattern == nil { copy.pattern = names }
    return copy
  }

  /// A name for a picture.
  /// - Parameters:
  ///   - suffix: after the stem.
  ///   - attempt: 1, or a higher number where names before it are taken.
  ///   - ending: of the file; nil is the one that was asked for, else png.
  func url(_ request: Request, suffix: String = "", attempt: Int, ending: String? = nil) -> URL {
    let place = madeUp(request)
    let stem = place.deletingPathExtension().lastPathComponent + suffix
    let ending = ending ?? place.pathExtension
    return place.deletingLastPathComponent().appending(
      path: attempt == 1 ? "\(stem).\(ending)" : "\(stem)-\(attempt).\(ending)")
  }

  /// The first choice for a picture's file.
  private func madeUp(_ request: Request) -> URL {
    if let file { return file }
    guard let pattern else {
      let name = OutputName(prompt: request.title, seed: request.seed ?? 0, date: date)
      return folder.appending(path: "\(name.folder)/\(name.stem).png")
    }
    // A name may have dots of its own: the ending comes last.
    let path = pattern.path(request, date: date, number: number)
    return folder.appending(path: "\(path).\(pattern.ending ?? "png")")
  }

  private func home(_ request: Request) -> URL { madeUp(request).deletingLastPathComponent() }

  /// Makes the folder of pictures.
  func makeHome(_ request: Request) throws {
    let home = home(request)
    do {
      try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    } catch {
      throw OutputError.unwritable(home.relativePath, "the folder cannot be made")
    }
  }

  /// Names for the run's folder, the best first.
  func runFolders(_ request: Request) -> some Collection<URL> {
    (1...10_000).lazy.map { url(request, attempt: $0, ending: "run") }
  }

  /// Removes the folders of pictures that were made in vain: those that are empty.
  func removeEmptyHome(_ request: Request) {
    guard file == nil else { return }
    let (root, home) = (folder.standardizedFileURL.path, home(request).standardizedFileURL)
    var place = home
    while place.path.hasPrefix(root + "/"), rmdir(place.path) == 0 {
      place = place.deletingLastPathComponent()
    }
    if place.path == root { rmdir(root) }
  }

  /// Notes in the description of a run where its pictures go.
  func note(in description: inout RunFolder.Description) {
    (description.output, description.folder) = (file?.absoluteURL.path, folder.absoluteURL.path)
    (description.name, description.number) = (pattern?.text, pattern == nil ? nil : number)
  }

  /// The folder in which all pictures are.
  var root: URL { file?.deletingLastPathComponent() ?? folder }
}

/// What can go wrong with the place for pictures.
enum OutputError: Error, CustomStringConvertible {
  case exists(String)
  case unwritable(String, String)

  var description: String {
    switch self {
    case .exists(let path): "\(path) exists already and is not overwritten. Choose another name."
    case .unwritable(let path, let reason):
      "Cannot write to \(path): \(reason). Name another place with --outdir or --output."
    }
  }
}
