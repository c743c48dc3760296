import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging

/// Makes small pictures when they are first asked for, and keeps them; one at a time, so that a
/// gallery that is scrolled through leaves the processor to the workers.
actor Thumbnails {
  private let folder: StudioFolder

  init(folder: StudioFolder) { self.folder = folder }

  /// The small picture as WebP.
  /// - Throws: `Problem` when there is no picture to make it of.
  func data(of id: String) throws -> Data {
    let file = folder.thumbnail(id)
    if let data = try? Data(contentsOf: file) { return data }
    guard let picture = try? Picture.read(from: folder.picture(id).path) else {
      throw Problem.notFound("file of this picture")
    }
    let data = try picture.fitted(in: 320).encoded(as: .webp(quality: 82))
    try? FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? data.write(to: file, options: .atomic)
    return data
  }
}

extension VideoFormat {
  /// The media type of its files.
  var mediaType: String {
    switch self {
    case .mp4, .webm: "video/\(rawValue)"
    case .gif, .webp: "image/\(rawValue)"
    }
  }
}

/// Makes other kinds of files of films when they are first asked for, and keeps them; one at a time.
actor FilmConverter {
  private let folder: StudioFolder
  private var last: Task<Void, Never>?
  /// Most frames of a film that is converted: FFmpeg holds all those of a GIF in memory.
  private static let most = 900

  init(folder: StudioFolder) { self.folder = folder }

  /// Sees to it that there is a film's file of a kind.
  /// - Throws: `Problem` where it is too long, `ImagingError`.
  func make(_ id: String, as format: VideoFormat) async throws {
    let before = last
    let task = Task { [folder] in
      await before?.value
      let file = folder.film(id, as: format.rawValue)
      guard !FileManager.default.fileExists(atPath: file.path) else { return }
      let film = try await VideoReader(folder.film(id).path, limits: Inputs.limits)
      guard film.info.frames <= Self.most else {
        throw Problem(
          .unprocessableContent,
          "The film has \(film.info.frames) frames; up to \(Self.most) become another kind of file. "
            + "Save it as MP4.", field: "format")
      }
      let writer = try VideoWriter(
        to: file.path, as: format, settings: VideoSettings(rate: min(240, film.info.rate ?? 15)))
      for try await frame in film { try await writer.append(frame) }
      try await writer.finish()
    }
    last = Task { _ = try? await task.value }
    try await task.value
  }
}

/// Hands films out, whole or in the parts that players ask for (RFC 9110, section 14).
struct Films: Sendable {
  let folder: StudioFolder

  /// - Throws: `Problem` when there is no file, or the part lies outside it.
  func response(
    to request: HummingbirdCore.Request, _ id: String, as format: VideoFormat = .mp4,
    _ context: StudioContext
  ) async throws -> Response {
    let path = folder.film(id, as: format.rawValue).path
    guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
      size > 0
    else { throw Problem.notFound("file of this film") }
    var headers: HTTPFields = [
      .contentType: format.mediaType, .acceptRanges: "bytes",
      .eTag: "\"f-\(id)-\(format.rawValue)\"",
      .cacheControl: "private, max-age=31536000, immutable",
    ]
    guard let range = request.headers[.range].flatMap({ Self.part($0, of: size) }) else {
      let body = try await FileIO().loadFile(path: path, context: context)
      return Response(status: .ok, headers: headers, body: body)
    }
    guard range.lowerBound < size else {
      throw Problem(
        .rangeNotSatisfiable, "The film has \(size) bytes.",
        headers: [.contentRange: "bytes */\(size)"])
    }
    headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound)/\(size)"
    let body = try await FileIO().loadFile(path: path, range: range, context: context)
    return Response(status: .partialContent, headers: headers, body: body)
  }

  /// The one part that a header asks for; nil where it is answered with the whole.
  static func part(_ header: String, of size: Int) -> ClosedRange<Int>? {
    guard header.hasPrefix("bytes="), !header.contains(",") else { return nil }
    let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else { return nil }
    switch (Int(ends[0]), Int(ends[1])) {
    case (let first?, let last?) where first <= last: return first...min(last, max(size - 1, first))
    case (let first?, nil) where ends[1].isEmpty: return first...max(size - 1, first)
    case (nil, let count?) where ends[0].isEmpty && count > 0:
      return max(0, size - count)...(size - 1)
    default: return nil
    }
  }
}
