import Foundation
import Imaging
import Painting

/// Prompts: weights, negative ones, and stops.
struct PromptFigures {
  let workshop: Workshop

  var all: [Figure] {
    [Figure("prompts-weights", sheet: weights), Figure("prompts-stops", drawing: stops)]
  }

  private func painted(_ prompt: String, seed: Int) async throws -> Picture {
    let request = workshop.request(prompt, "diffusion", seed: seed) {
      ($0.width, $0.height, $0.iterations) = (128, 128, workshop.steps(25))
      $0.arguments["guidance"] = .number(0)
    }
    return try await workshop.engine.picture(of: request)
  }

  /// A second prompt that counts less and less, and against the first.
  private func weights() async throws -> ContactSheet {
    let weights = [1, 0.6, 0.3, 0, -0.3, -0.6]
    var cells: [ContactSheet.Cell] = []
    for (first, second) in [
      ("a strawberry", "a green background"), ("a pineapple", "a watermelon"),
      ("a horse", "a zebra"),
    ] {
      for weight in weights {
        let prompt = weight == 0 ? first : "\(first) | \(second):\(weight)"
        cells.append(.init(try await painted(prompt, seed: 3)))
      }
    }
    return ContactSheet(
      cells, columns: weights.count, columnLabels: weights.map { String(format: "%g", $0) },
      rowLabels: ["strawberry | green background", "pineapple | watermelon", "horse | zebra"],
      cellSize: 96,
      captionSize: 12)
  }

  /// How far the views of a picture still are from the text, with a stop and without.
  private func stops() async throws -> Drawing {
    let iterations = 150
    var drawing = Drawing(
      width: 640, height: 300,
      title: "The loss of a climb without a stop, and with stops at 0.4 and 0.8")
    let axes = Axes(
      x: 0...Double(iterations), y: 0...1.6, left: 56, top: 36, width: 400, height: 210)
    axes.draw(
      onto: &drawing, x: [0, 50, 100, 150], "step", y: [0, 0.4, 0.8, 1.2, 1.6],
      "distance of the views")
    for (row, (stop, ink)) in [("", Drawing.Ink.a), (":1:0.4", .c), (":1:0.8", .b)].enumerated() {
      let request = workshop.climb(
        "a red heart on a yellow background\(stop)", "vqgan-clip", iterations: iterations)
      var losses: [Double] = []
      for try await event in workshop.engine.generate(request) {
        if case .step(let progress) = event { losses.append(progress.loss ?? 0) }
      }
      let stretch = Double(iterations) / Double(losses.count)
      axes.curve(
        losses.enumerated().map { (Double($0 + 1) * stretch, $1) }, onto: &drawing, ink, width: 1.5)
      let y = 70 + Double(row) * 26
      drawing.line([(480, y), (506, y)], ink, width: 2)
      drawing.text(stop.isEmpty ? "no stop" : "stop at \(stop.dropFirst(3))", 514, y + 5)
    }
    return drawing
  }
}
