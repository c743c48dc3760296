import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// One run of the engine on behalf of a command: progress on the terminal, pictures into files,
/// results to standard output.
///
/// The run has a folder while it lasts, beside its pictures, from which `reverie resume` goes on when
/// the program was killed.
struct Session {
  let engine: Engine
  let destination: Destination
  let output: OutputOptions
  /// What stands before progress, '[2/8] ' for instance.
  var heading = ""

  /// Paints a new run.
  /// - Parameters:
  ///   - request: resolved.
  ///   - pack: the pack's folder as it was named.
  /// - Returns: the pictures' files.
  @discardableResult
  func run(_ request: Request, count: Int, files: Attachments, pack: String?) async throws -> [URL]
  {
    try destination.makeHome(request)
    let run: RunFolder
    do {
      var description = RunFolder.Description(
        request: request, count: count, pack: pack.map { URL(filePath: $0).absoluteURL.path },
        packEdition: .init(id: engine.pack.manifest.id, version: engine.pack.manifest.version),
        device: "\(engine.device)", threads: engine.threads, previewEvery: output.saveEvery,
        output: nil, folder: "")
      destination.note(in: &description)
      if output.noMetadata { description.isBare = true }
      if output.svg { description.svg = true }
      description.codesEvery = output.saveCodes
      if output.candidatesSheet { description.sheet = true }
      run = try RunFolder(
        creatingFirstFree: destination.runFolders(request), description, files: files)
    } catch {
      destination.removeEmptyHome(request)
      throw error
    }
    do {
      return try await go(on: run)
    } catch let error as ExitCode {
      throw error
    } catch {
      // What could not even begin leaves nothing behind.
      if !run.hasBegun {
        run.remove()
        destination.removeEmptyHome(request)
      }
      throw run.told(error)
    }
  }

  /// Paints what a run has not finished yet; ends with exit code 130 when it was stopped by ^C.
  /// - Returns: the pictures' files.
  @discardableResult
  func go(on run: RunFolder) async throws -> [URL] {
    let description = run.description
    let start = ContinuousClock.now
    var urls: [URL] = []
    for number in 0..<run.finishedCount {
      urls.append(try deliver(number + 1, of: run, nil, seconds: 0))
    }
    let generation = engine.generate(
      description.request,
      .init(
        count: description.count, files: run.files, previewEvery: description.previewEvery,
        codesEvery: description.codesEvery, showsCandidates: description.sheet == true, run: run,
        checkpointEvery: output.checkpointEvery))
    let quiet = output.quiet
    let progress = ProgressLine(enabled: !quiet, heading: heading)
    let interrupt = Interrupt {
      progress.clear()
      if !quiet { Console.say("Stopping; ^C again stops at once.") }
      generation.stop()
    }
    defer { progress.clear() }
    var saved = 0
    do {
      for try await event in generation {
        switch event {
        case .started(let started): if !quiet { say(started) }
        case .preparing(let step), .step(let step): progress.show(step)
        case .preview(let preview):
          let url = try destination.write(preview, request: description.request)
          progress.clear()
          if !quiet { Console.say("\(url.relativePath)") }
        case .image(let image):
          progress.clear()
          saved += 1
          let url = try keep(
            image, of: run, stopped: interrupt.happened,
            seconds: (ContinuousClock.now - start).seconds)
          urls.append(url)
          if !quiet, saved == 1 { await sayWhatStrangersBecame(image) }
        case .candidates(let candidates):
          progress.clear()
          try show(candidates, description.request)
        case .frame, .finished: break
        }
      }
    } catch PaintingError.stoppedEarly where interrupt.happened {
      if !quiet { Console.say("\(PaintingError.stoppedEarly)") }
    }
    guard interrupt.happened else {
      if !output.keepRun { run.remove() }
      return urls
    }
    if !quiet {
      if saved > 0 { Console.say("Stopped; the best so far is saved.") }
      Console.say("Go on with: reverie resume \(Console.quoted(run.folder.relativePath))")
    }
    throw ExitCode(130)
  }

  /// Writes a sheet of all candidates, the best first, and says where it is.
  private func show(_ candidates: [Event.Candidate], _ request: Request) throws {
    let longest = candidates.map { max($0.picture.width, $0.picture.height) }.max() ?? 1
    let columns = Double(candidates.count).squareRoot().rounded(.up)
    let cells = candidates.enumerated().map { index, candidate in
      let score = candidate.score.map { String(format: ": %.3f", $0) } ?? ""
      return ContactSheet.Cell(candidate.picture, caption: "\(index + 1)\(score)")
    }
    let sheet = try ContactSheet(
      cells, cellSize: min(longest, max(48, 8_000 / Int(columns)))
    ).render()
    let url = try destination.write(sheet, request: request, suffix: "-candidates", ending: "png")
    let path = Console.relative(url)
    guard output.json else { return Console.result(path) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let result = CandidateSheet(candidates: candidates.count, sheet: path)
    Console.result(String(decoding: try encoder.encode(result), as: UTF8.self))
  }

  private struct CandidateSheet: Encodable {
    let candidates: Int
    let sheet: String
  }

  /// What the pack's CLIP sees in a picture for whose words its networks had nothing.
  private func sayWhatStrangersBecame(_ image: Event.Output) async {
    let request = image.metadata.request
    guard request.model == nil, request.clip == nil, let book = try? engine.pack.phrases() else {
      return
    }
    let strangers = book.strangers(in: request.prompt)
    guard !strangers.isEmpty,
      let seen = try? await engine.describe(image.picture, count: 1).things.first
    else { return }
    let words = strangers.prefix(6).map { "'\($0.prefix(40))'" }.joined(separator: ", ")
    Console.say("For \(words) it painted what looks most like \(seen.phrase) to the pack's CLIP.")
  }

  /// Writes a finished picture into the run's folder, and from there to its place. The best of a run
  /// that was stopped goes to its place only: the run has not finished it.
  private func keep(
    _ image: Event.Output, of run: RunFolder, stopped: Bool, seconds: Double
  ) throws -> URL {
    func writeBeside(_ url: URL) throws {
      if run.description.svg == true, let svg = image.svg {
        try Data(svg.utf8).write(to: Self.shapes(of: url), options: .atomic)
      }
      try image.attention?.write(to: Self.attention(of: url).path, replacing: true)
    }
    let isBare = run.description.isBare == true
    func write(_ url: URL) throws {
      let texts = try isBare ? [] : image.metadata.texts()
      let format = try PictureFormat(extensionOf: url.path, texts: texts)
      try image.picture.write(to: url.path, as: format, replacing: !stopped)
    }
    guard !stopped else {
      let url = try free(image.metadata.request, write)
      try writeBeside(url)
      try report(image.metadata, url, score: image.score, seconds: seconds)
      return url
    }
    let number = run.finishedCount + 1
    // The picture last: when it is there it is finished.
    try writeBeside(run.finished(number))
    if isBare {
      try Data(image.metadata.json().utf8).write(
        to: Self.notes(of: run.finished(number)), options: .atomic)
    }
    try write(run.finished(number))
    return try deliver(number, of: run, image, seconds: seconds)
  }

  /// What a finished picture would tell.
  private static func notes(of picture: URL) -> URL {
    picture.deletingPathExtension().appendingPathExtension("json")
  }

  private static func shapes(of picture: URL) -> URL {
    picture.deletingPathExtension().appendingPathExtension("svg")
  }

  /// Which word painted where.
  private static func attention(of picture: URL) -> URL {
    picture.deletingPathExtension().appendingPathExtension("attention.png")
  }

  /// Gives a finished picture its place, and says where that is.
  private func deliver(_ number: Int, of run: RunFolder, _ image: Event.Output?, seconds: Double)
    throws -> URL
  {
    let file = run.finished(number)
    let notes = Self.notes(of: file)
    let metadata =
      try image?.metadata
      ?? (FileManager.default.fileExists(atPath: notes.path)
        ? Metadata(json: String(contentsOf: notes, encoding: .utf8))
        : Metadata(ofPictureAt: file.path))
    try destination.makeHome(metadata.request)
    let url = try run.deliver(number, file: file) { attempt in
      destination.url(metadata.request, attempt: attempt)
    }
    for beside in [Self.shapes, Self.attention] {
      let (drawn, place) = (beside(file), beside(url))
      if FileManager.default.fileExists(atPath: drawn.path),
        !FileManager.default.fileExists(atPath: place.path)
      {
        try FileManager.default.copyItem(at: drawn, to: place)
      }
    }
    try report(metadata, url, score: image?.score, seconds: seconds)
    return url
  }

  private func free(_ request: Request, _ write: (URL) throws -> Void) throws -> URL {
    for attempt in 1...10_000 {
      let url = destination.url(request, attempt: attempt)
      do {
        try write(url)
        return url
      } catch ImagingError.exists {
        continue
      }
    }
    throw OutputError.exists(destination.url(request, attempt: 1).relativePath)
  }

  private func say(_ started: Event.Started) {
    let request = started.request
    let method = request.method?.rawValue ?? ""
    let size = "\(started.paintedWidth)x\(started.paintedHeight)"
    let goal = "\(request.width ?? 0)x\(request.height ?? 0)"
    let scaling = size == goal ? goal : "\(size), enlarged to \(goal)"
    Console.say(
      "Painting with \(method) at \(scaling); seed \(request.seed ?? 0), "
        + "\(request.precision?.rawValue ?? "") on \(engine.device), "
        + Console.counted(engine.threads, "thread") + ".")
  }

  private func report(_ metadata: Metadata, _ url: URL, score: Double?, seconds: Double) throws {
    let seed = metadata.request.seed ?? 0
    let path = Console.relative(url)
    guard output.json else {
      if !output.quiet {
        Console.say("Seed \(seed), \(String(format: "%.1f", seconds)) s.")
      }
      Console.result(path)
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let result = Result(
      path: path, seed: seed, seconds: seconds, score: score, metadata: metadata)
    Console.result(String(decoding: try encoder.encode(result), as: UTF8.self))
  }

  private struct Result: Encodable {
    let path: String
    let seed: Int
    let seconds: Double
    let score: Double?
    let metadata: Metadata
  }
}
