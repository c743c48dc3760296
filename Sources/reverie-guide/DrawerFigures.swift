import Imaging
import Painting

/// Drawers: one text by all of them, as they begin, on their way, and in the end; and as they come, where most are
/// also pulled to what the pack's diffusion model would paint.
struct DrawerFigures {
  let workshop: Workshop

  private let methods: [Method.ID] = [
    "vqgan-clip", "big-sleep", "fft", "pixels", "deep-daze", "pixel", "clipdraw", "line",
  ]

  var all: [Figure] { [Figure("drawers-all", sheet: drawers)] }

  private func drawers() async throws -> ContactSheet {
    let iterations = 150
    let moments = [10, 50, iterations]
    var rows: [[ContactSheet.Cell]] = moments.map { _ in [] }
    var led: [ContactSheet.Cell] = []
    for method in methods {
      let prompt = "a sunflower on a blue background"
      let request = workshop.climb(prompt, method, seed: 2, iterations: iterations)
      var pictures: [(step: Int, picture: Picture)] = []
      for try await event in workshop.engine.generate(
        request, .init(previewEvery: max(1, workshop.steps(10) / 2)))
      {
        switch event {
        case .preview(let preview): pictures.append((preview.step, preview.picture))
        case .image(let output): pictures.append((workshop.steps(iterations), output.picture))
        default: break
        }
      }
      for (row, moment) in moments.enumerated() {
        let found = pictures.last { $0.step <= workshop.steps(moment) } ?? pictures[0]
        rows[row].append(.init(found.picture, caption: ""))
      }
      let asItComes = workshop.request(prompt, method, seed: 2) {
        ($0.width, $0.height, $0.iterations) = (128, 128, workshop.steps(iterations))
      }
      led.append(
        .init(try await workshop.engine.picture(of: asItComes), caption: method.rawValue))
    }
    return ContactSheet(
      rows.flatMap { $0 } + led, columns: methods.count,
      rowLabels: ["step 10", "50", "150", "as it comes"], cellSize: 96, gap: 6, captionSize: 12)
  }
}
