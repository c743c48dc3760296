import Foundation
import Imaging
import Painting

/// A render that was varied or painted into, and what the judge saw in what became of it.
public struct Edit: Sendable {
  /// What the render shows, and the result should.
  public let prompt: EvaluationPrompt
  /// What was handed in.
  public let original: Picture
  /// What became of it.
  public let result: Picture
  /// Whether the judge's first guess is the object that is wanted, where it should stand.
  public let isNamed: Bool
  /// Whether every pixel is as it was that should be.
  public let keepsRest: Bool
}

extension PackEvaluation {
  /// Has renders of single objects varied, each shown as a picture and told by no word.
  /// - Parameters:
  ///   - request: how.
  ///   - seed: of the first; the others' follow.
  ///   - report: called after each.
  public func variations(
    of prompts: [EvaluationPrompt], with engine: Engine, judge: Judge, request: Request, seed: Int,
    report: (Edit) -> Void
  ) async throws -> [Edit] {
    try await edits(of: prompts, with: engine, seed: seed, report) { prompt, files in
      let original = try renders(of: [prompt])[0]
      var request = request
      request.prompts = [Prompt(.image(try files.add(original, as: "original.png")))]
      return (original, request)
    } judged: { prompt, _, result in
      (judge(result, best: 1).concepts.first == prompt.conceptID, true)
    }
  }

  /// Has the second of two things painted into a grey hole where it should stand.
  /// - Parameters:
  ///   - prompts: of two things apart from each other; the second is asked for by its name alone.
  ///   - request: how.
  ///   - seed: of the first; the others' follow.
  ///   - report: called after each.
  public func inpaintings(
    of prompts: [EvaluationPrompt], with engine: Engine, judge: Judge, request: Request, seed: Int,
    report: (Edit) -> Void
  ) async throws -> [Edit] {
    try await edits(of: prompts, with: engine, seed: seed, report) { prompt, files in
      let render = try renders(of: [prompt])[0]
      let hole = Hole(prompt.label.slots[1], width: render.width, height: render.height)
      let original = try hole.cut(render, .init(red: 128, green: 128, blue: 128))
      let mask = try hole.cut(
        Picture(
          width: render.width, height: render.height, color: .init(red: 0, green: 0, blue: 0)),
        .init(red: 255, green: 255, blue: 255))
      var request = request
      request.prompt = concepts[prompt.conceptIDs[1]]
      request.initImage = try files.add(original, as: "original.png")
      let maskFile = try files.add(mask, as: "mask.png")
      request.filters = [PartSpec("inpaint", ["mask": maskFile.json, "blur": .integer(0)])]
      return (original, request)
    } judged: { prompt, original, result in
      let slot = prompt.label.slots[1]
      let hole = Hole(slot, width: result.width, height: result.height)
      let black = Color(red: 0, green: 0, blue: 0)
      return (
        judge(result, in: slot, best: 1).concepts.first == prompt.conceptIDs[1],
        try hole.cut(original, black) == hole.cut(result, black)
      )
    }
  }

  /// Prompts of two things that stand apart.
  public func apart(count: Int, seed: Int) -> [EvaluationPrompt] {
    let relations: [Relation?] = [.nextTo, .leftOf, .above]
    // A third of the relations is apart; more than enough are drawn.
    let all = prompts(.relations, seen: false, count: 8 * count, seed: seed)
    return Array(all.filter { relations.contains($0.relation) }.prefix(count))
  }

  private func edits(
    of prompts: [EvaluationPrompt], with engine: Engine, seed: Int, _ report: (Edit) -> Void,
    asked: (EvaluationPrompt, inout TemporaryPictures) throws -> (Picture, Request),
    judged: (EvaluationPrompt, Picture, Picture) throws -> (isNamed: Bool, keepsRest: Bool)
  ) async throws -> [Edit] {
    var edits: [Edit] = []
    for (index, prompt) in prompts.enumerated() {
      var files = try TemporaryPictures()
      defer { files.remove() }
      var (original, request) = try asked(prompt, &files)
      request.seed = seed + index
      var options = Engine.Options()
      options.files = files.attachments
      let result = try await engine.picture(of: request, options)
      let (isNamed, keepsRest) = try judged(prompt, original, result)
      edits.append(
        Edit(
          prompt: prompt, original: original, result: result, isNamed: isNamed,
          keepsRest: keepsRest))
      report(edits[edits.count - 1])
    }
    return edits
  }
}

/// A part of a picture, in whole pixels.
private struct Hole {
  let columns: Range<Int>
  let rows: Range<Int>

  init(_ slot: Slot, width: Int, height: Int) {
    func range(_ start: Double, _ length: Double, of side: Int) -> Range<Int> {
      let side = Double(side)
      return Int((start * side).rounded())..<Int(((start + length) * side).rounded())
    }
    columns = range(slot.x, slot.width, of: width)
    rows = range(slot.y, slot.height, of: height)
  }

  /// The picture with the part in one colour.
  func cut(_ picture: Picture, _ color: Color) throws -> Picture {
    var bytes = picture.bytes
    for row in rows {
      for column in columns {
        let at = picture.channels * (row * picture.width + column)
        (bytes[at], bytes[at + 1], bytes[at + 2]) = (color.red, color.green, color.blue)
      }
    }
    return try Picture(
      width: picture.width, height: picture.height, channels: picture.channels, bytes: bytes)
  }
}

/// Pictures in a folder of their own, for a request to name.
private struct TemporaryPictures {
  private(set) var attachments = Attachments()
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "edit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  mutating func add(_ picture: Picture, as name: String) throws -> FileReference {
    let file = folder.appending(path: name)
    try picture.write(to: file.path)
    return try attachments.add(file)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}
