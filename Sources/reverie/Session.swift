import ArgumentParser
import Foundation
import Painting

/// One run of the engine on behalf of a command: progress on the terminal, pictures into files,
/// results to standard output.
struct Session {
  let engine: Engine
  let destination: Destination
  let output: OutputOptions

  /// Paints; ends with exit code 130 when it was stopped by ^C.
  func run(_ request: Request, _ options: Engine.Options) async throws {
    let start = ContinuousClock.now
    let generation = engine.generate(request, options)
    let quiet = output.quiet
    let progress = ProgressLine(enabled: !quiet)
    let interrupt = Interrupt {
      progress.clear()
      if !quiet { Console.say("Stopping; ^C again stops at once.") }
      generation.stop()
    }
    defer { progress.clear() }
    var saved = 0
    var resolved = request
    do {
      for try await event in generation {
        switch event {
        case .started(let started):
          resolved = started.request
          if !quiet { say(started) }
        case .step(let step): progress.show(step)
        case .preview(let preview):
          let url = try destination.write(
            preview.picture, texts: [], request: resolved, step: preview.step)
          progress.clear()
          if !quiet { Console.say("\(url.relativePath)") }
        case .image(let image):
          let url = try destination.write(
            image.picture, texts: image.metadata.texts(), request: image.metadata.request)
          saved += 1
          progress.clear()
          try report(image, url, seconds: Self.seconds(since: start))
        case .finished: break
        }
      }
    } catch PaintingError.stoppedEarly where interrupt.happened {
      if !quiet { Console.say("\(PaintingError.stoppedEarly)") }
    }
    guard interrupt.happened else { return }
    if !quiet, saved > 0 { Console.say("Stopped; the best so far is saved.") }
    throw ExitCode(130)
  }

  private func say(_ started: Event.Started) {
    let request = started.request
    let method = request.method?.rawValue ?? ""
    let size = "\(started.paintedWidth)x\(started.paintedHeight)"
    let goal = "\(request.width ?? 0)x\(request.height ?? 0)"
    let scaling = size == goal ? goal : "\(size), enlarged to \(goal)"
    Console.say(
      "Painting with \(method) at \(scaling); seed \(request.seed ?? 0), "
        + "\(request.precision?.rawValue ?? "") on \(engine.device), \(engine.threads) threads.")
  }

  private func report(_ image: Event.Output, _ url: URL, seconds: Double) throws {
    let seed = image.metadata.request.seed ?? 0
    guard output.json else {
      if !output.quiet {
        Console.say("Seed \(seed), \(String(format: "%.1f", seconds)) s.")
      }
      Console.result(url.relativePath)
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let result = Result(
      path: url.relativePath, seed: seed, seconds: seconds, score: image.score,
      metadata: image.metadata)
    Console.result(String(decoding: try encoder.encode(result), as: UTF8.self))
  }

  private struct Result: Encodable {
    let path: String
    let seed: Int
    let seconds: Double
    let score: Double?
    let metadata: Metadata
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    let spent = (ContinuousClock.now - start).components
    return Double(spent.seconds) + Double(spent.attoseconds) * 1e-18
  }
}
