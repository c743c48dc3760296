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

  /// Checks that the place can be written to.
  /// - Throws: `OutputError`.
  init(_ options: OutputOptions, date: Date = Date()) throws {
    self.date = date
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

  /// Writes a PNG under a name that is not taken.
  /// - Parameters:
  ///   - step: of a picture on the way.
  /// - Returns: the file.
  func write(_ picture: Picture, texts: [PNGText], request: Request, step: Int? = nil) throws
    -> URL
  {
    let name = OutputName(prompt: request.prompt, seed: request.seed ?? 0, date: date)
    let home =
      file?.deletingLastPathComponent()
      ?? folder.appending(path: name.folder, directoryHint: .isDirectory)
    var stem = file?.deletingPathExtension().lastPathComponent ?? name.stem
    if let step {
      stem += "-" + String(repeating: "0", count: max(0, 6 - "\(step)".count)) + "\(step)"
    }
    do {
      try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    } catch {
      throw OutputError.unwritable(home.relativePath, "the folder cannot be made")
    }
    for number in 1...10_000 {
      let url = home.appending(path: number == 1 ? "\(stem).png" : "\(stem)-\(number).png")
      do {
        try picture.write(to: url.path, as: .png(texts: texts))
        return url
      } catch ImagingError.exists {
        continue
      }
    }
    throw OutputError.exists(home.appending(path: stem + ".png").relativePath)
  }
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
