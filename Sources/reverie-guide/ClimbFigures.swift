import Foundation
import Imaging
import Models
import Painting
import Torch
import Training

/// The climb: what a drawer draws is moved, step by step, to where CLIP likes it better.
final class ClimbFigures {
  private let workshop: Workshop
  private var climbs: [Bool: Climb] = [:]

  init(workshop: Workshop) { self.workshop = workshop }

  private let prompt = "a red heart on a yellow background"
  private let iterations = 200

  var all: [Figure] {
    [
      Figure("climb-steps", sheet: steps), Figure("climb-curves", drawing: curves),
      Figure("climb-views", sheet: views), Figure("climb-gradient", sheet: gradients),
    ]
  }

  // MARK: Climbing

  /// A climb: the loss of each step, and the pictures on the way.
  private struct Climb {
    var losses: [Double] = []
    var pictures: [(step: Int, picture: Picture)] = []
  }

  /// - Parameter isPlain: whether CLIP is shown the picture as it is, and nothing else.
  private func climb(isPlain: Bool) async throws -> Climb {
    if let found = climbs[isPlain] { return found }
    var request = workshop.climb(prompt, "vqgan-clip", iterations: iterations)
    if isPlain { (request.cutMode, request.augmentations, request.cutouts) = (.whole, [], 1) }
    var climb = Climb()
    for try await event in workshop.engine.generate(
      request, .init(previewEvery: workshop.steps(200) < 40 ? 1 : 5))
    {
      switch event {
      case .step(let progress): climb.losses.append(progress.loss ?? 0)
      case .preview(let preview): climb.pictures.append((preview.step, preview.picture))
      case .image(let output): climb.pictures.append((workshop.steps(iterations), output.picture))
      default: break
      }
    }
    climbs[isPlain] = climb
    return climb
  }

  // MARK: Figures

  /// The picture every so many steps, with what CLIP is shown and without.
  private func steps() async throws -> ContactSheet {
    let moments = [5, 10, 20, 50, 100, 200]
    var cells: [ContactSheet.Cell] = []
    for isPlain in [false, true] {
      let climb = try await climb(isPlain: isPlain)
      for moment in moments {
        let step = workshop.steps(moment)
        let picture = climb.pictures.last { $0.step <= step } ?? climb.pictures[0]
        cells.append(.init(picture.picture))
      }
    }
    return ContactSheet(
      cells, columns: moments.count, columnLabels: moments.map { $0 == 5 ? "step 5" : "\($0)" },
      rowLabels: ["with cutouts", "without"], cellSize: 112, captionSize: 12)
  }

  /// How the loss falls, and what another CLIP says meanwhile.
  private func curves() async throws -> Drawing {
    var drawing = Drawing(
      width: 780, height: 330,
      title:
        "Left the loss, which falls; right how well the picture fits the text by the CLIP that leads and by another"
    )
    let count = Double(iterations)
    let all = [try await climb(isPlain: false), try await climb(isPlain: true)]
    let left = Axes(x: 0...count, y: 0...1.6, left: 50, top: 40, width: 290, height: 210)
    left.draw(
      onto: &drawing, x: [0, 50, 100, 150, 200], "step", y: [0, 0.4, 0.8, 1.2, 1.6], "loss")
    let right = Axes(x: 0...count, y: 0...1, left: 430, top: 40, width: 290, height: 210)
    right.draw(
      onto: &drawing, x: [0, 50, 100, 150, 200], "step", y: [0, 0.25, 0.5, 0.75, 1],
      "fits the text (cosine)")
    let wanted = workshop.embedding(of: prompt)
    for (climb, ink) in zip(all, [Drawing.Ink.a, .b]) {
      let stretch = count / Double(max(1, climb.losses.count))
      left.curve(
        climb.losses.enumerated().map { (Double($0 + 1) * stretch, $1) }, onto: &drawing, ink,
        width: 1)
      let kept = climb.pictures
      right.curve(
        kept.map {
          (Double($0.step) * stretch, cosine(workshop.embedding(of: $0.picture), wanted))
        },
        onto: &drawing, ink)
      let judged = workshop.judge.cosines(kept.map(\.picture), [prompt])
      drawing.line(
        zip(kept, judged).map { right.place(Double($0.step) * stretch, $1[0]) }, ink, width: 1.5,
        dashed: true)
    }
    for (place, (text, ink, dashed)) in [
      ("with cutouts", Drawing.Ink.a, false), ("without", .b, false),
      ("by another CLIP, that did not lead", .soft, true),
    ].enumerated() {
      let x = 50 + Double(place) * 170
      drawing.line([(x, 312), (x + 26, 312)], ink, width: 2, dashed: dashed)
      drawing.text(text, x + 34, 316, .soft, size: 13)
    }
    return drawing
  }

  /// The cutouts of one step.
  private func views() async throws -> ContactSheet {
    let picture = try await workshop.picture(of: "a sailboat on the beach", seed: 1).tensor()
    let side = workshop.clip.config.vision.imageSize
    let rows: [(String, [Augmentation])] = [
      ("only cut", []), ("as in the pack", [.affine, .noise]),
      ("all five", CutoutMode.balanced.augmentations),
    ]
    let cells = try rows.flatMap { _, augmentations in
      let seen = Cutouts(size: side, count: 8, augmentations: augmentations, seed: 4)(
        picture, iteration: 0)
      return try (0..<8).map { ContactSheet.Cell(try Picture(seen[$0].clamped(0, 1))) }
    }
    return ContactSheet(
      cells, columns: 8, rowLabels: rows.map(\.0), cellSize: side, gap: 8, captionSize: 12)
  }

  /// Where the picture would have to become lighter or darker, and in which colour, to fit a text better.
  private func gradients() async throws -> ContactSheet {
    let picture = try await workshop.picture(of: "an apple", seed: 1)
    let text = "a lemon"
    func shown(_ gradient: Tensor) throws -> Picture {
      let up = -gradient  // a step goes down the loss
      return try Picture((up / (up.abs().mean() * 6) + 0.5).clamped(0, 1))
    }
    let plain = gradient(at: picture, text, views: 1, augmentations: [], mode: .whole)
    let many = gradient(
      at: picture, text, views: 64, augmentations: [.affine, .noise], mode: .balanced)
    func moved(_ gradient: Tensor) throws -> Picture {
      let step = gradient / gradient.square().mean().sqrt() * 0.06
      return try Picture((picture.tensor() - step).clamped(0, 1))
    }
    return ContactSheet(
      [
        .init(picture, caption: "the picture; wanted is “\(text)”"),
        .init(try shown(plain), caption: "the gradient of one view"),
        .init(try moved(plain), caption: "the picture, moved along it"),
        .init(try shown(many), caption: "the mean gradient of 64 cutouts"),
        .init(try moved(many), caption: "the picture, moved along that"),
      ], columns: 5, cellSize: 128, captionSize: 12)
  }

  /// The gradient at the pixels, `[1, 3, H, W]`, of how far views of the picture are from a text.
  private func gradient(
    at picture: Picture, _ text: String, views: Int, augmentations: [Augmentation], mode: CutoutMode
  ) -> Tensor {
    let cutouts = Cutouts(
      size: workshop.clip.config.vision.imageSize, count: views, mode: mode,
      augmentations: augmentations,
      seed: 1)
    let pixels = picture.tensor().variable()
    let seen = workshop.clip.embed(cutouts(pixels, iteration: 0))
    let loss = sphericalDistance(seen, workshop.embedding(of: text)).mean()
    return Torch.gradient(of: loss, at: [pixels])[0]
  }
}
