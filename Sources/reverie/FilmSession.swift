import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// A film of the engine on behalf of a command: progress on the terminal, frames into the run's folder,
/// the film into its place.
struct FilmSession {
  let engine: Engine
  let destination: Destination
  let output: OutputOptions
  let ending: String

  /// Paints a new film.
  /// - Parameters:
  ///   - request: resolved and adapted to the film.
  ///   - pack: the pack's folder as it was named.
  func run(_ film: Film, _ request: Request, files: Attachments, pack: String?) async throws {
    try destination.makeHome(request)
    let run: RunFolder
    do {
      var description = RunFolder.Description(
        request: request, count: 1, film: film,
        pack: pack.map { URL(filePath: $0).absoluteURL.path },
        packEdition: .init(id: engine.pack.manifest.id, version: engine.pack.manifest.version),
        device: "\(engine.device)", threads: engine.threads, previewEvery: nil, output: nil,
        folder: "")
      destination.note(in: &description)
      if output.noMetadata { description.isBare = true }
      run = try RunFolder(
        creatingFirstFree: destination.runFolders(request), description, files: files)
    } catch {
      destination.removeEmptyHome(request)
      throw error
    }
    do {
      try await go(on: run, film)
    } catch let error as ExitCode {
      throw error
    } catch {
      if !run.hasBegun, run.frameCount == 0 {
        run.remove()
        destination.removeEmptyHome(request)
      }
      throw run.told(error)
    }
  }

  /// Paints the frames that are missing, then makes the film.
  func go(on run: RunFolder, _ film: Film) async throws {
    let start = ContinuousClock.now
    let request = run.description.request
    let generation = engine.generate(
      request,
      .init(files: run.files, run: run, checkpointEvery: output.checkpointEvery, film: film))
    let quiet = output.quiet
    let progress = ProgressLine(enabled: !quiet)
    let interrupt = Interrupt {
      progress.clear()
      if !quiet { Console.say("Stopping; ^C again stops at once.") }
      generation.stop()
    }
    defer { progress.clear() }
    var total: Int?
    for try await event in generation {
      switch event {
      case .started(let started): if !quiet { say(started, film) }
      case .preparing(let step): progress.show(step)
      case .step(let step): if total == nil || film.kind != .restyle { progress.show(step) }
      case .frame(let frame):
        total = frame.total
        if film.kind == .restyle || film.kind == .morph, let total = frame.total {
          progress.show(.init(step: frame.number, total: total, unit: "frame"))
        }
      case .preview, .image, .candidates, .finished: break
      }
    }
    progress.clear()
    guard !interrupt.happened else {
      if !quiet {
        Console.say("Stopped after \(Console.counted(run.frameCount, "frame")).")
        Console.say("Go on with: reverie resume \(Console.quoted(run.folder.relativePath))")
      }
      throw ExitCode(130)
    }
    try await deliver(run, film, start: start)
    if !output.keepRun { run.remove() }
  }

  private func deliver(_ run: RunFolder, _ film: Film, start: ContinuousClock.Instant) async throws
  {
    let request = run.description.request
    let file = run.folder.appending(path: "film.\(ending)")
    if !FileManager.default.fileExists(atPath: file.path) {
      let metadata = try engine.metadata(of: film, request)
      let progress = ProgressLine(enabled: !output.quiet)
      defer { progress.clear() }
      try await FilmEncoder(run: run, film: film).encode(
        to: file,
        texts: run.description.isBare == true
          ? []
          : [
            PictureText(keyword: "comment", text: request.title),
            PictureText(keyword: Metadata.keyword, text: try metadata.json()),
          ]
      ) { done, total in
        progress.show(.init(step: done, total: total, unit: "frame"))
      }
    }
    let url = try run.deliver(1, file: file) { attempt in
      destination.url(request, attempt: attempt, ending: ending)
    }
    let spent = (ContinuousClock.now - start).seconds
    if output.json {
      Console.result(
        "{\"frames\":\(run.frameCount),\"path\":\(Console.json(Console.relative(url))),"
          + "\"seconds\":\(String(format: "%.1f", spent))}")
      return
    }
    if !output.quiet {
      Console.say(
        "\(Console.counted(run.frameCount, "frame")), \(String(format: "%.1f", spent)) s.")
    }
    Console.result(Console.relative(url))
  }

  private func say(_ started: Event.Started, _ film: Film) {
    let request = started.request
    Console.say(
      "Filming (\(film.kind.rawValue)) with \(request.method?.rawValue ?? "") at "
        + "\(started.paintedWidth)x\(started.paintedHeight); seed \(request.seed ?? 0), "
        + "\(request.precision?.rawValue ?? "") on \(engine.device), "
        + Console.counted(engine.threads, "thread") + ".")
  }
}
