import Foundation
import Imaging
import Torch

extension Engine {
  /// Everything that the ways of shooting have in common.
  struct Studio {
    let film: Film
    let request: Request
    let networks: Networks
    let painted: Metadata.Size
    let options: Options
    var reel: FilmReel
    let easel: Easel

    /// A painting of the film's request, or of another one.
    func painting(_ request: Request? = nil, initial: Tensor? = nil) throws -> GuidedPainting {
      try GuidedPainting(
        request ?? self.request, networks: networks, width: painted.width,
        height: painted.height, initial: initial, files: options.files,
        preparing: { easel.emit(.preparing($0)) })
    }

    func keeper(_ picture: Int) -> Keeper? { Keeper(options, picture: picture) }
  }

  /// Paints the frames of a film into the folder of its run. What is there already is not painted again.
  /// - Parameter request: resolved and adapted to the film.
  func shoot(
    _ film: Film, _ request: Request, _ options: Options,
    _ emit: @escaping @Sendable (Event) -> Void
  ) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    guard let run = options.run else {
      throw RequestError.badValue(field: "film", reason: "needs a folder for its frames")
    }
    let request = try film.adapted(pack.resolve(request, device: device))
    let painted = pack.paintedSize(request, factor: try factor(of: request))
    let reel = FilmReel(
      run: run, width: request.width ?? painted.width, height: request.height ?? painted.height,
      total: nil, emit: emit)
    let studio = Studio(
      film: film, request: request,
      networks: networks(for: request.precision == .bfloat16 ? .bfloat16 : .float32),
      painted: painted, options: options, reel: reel,
      easel: Easel(emit: emit, previewEvery: nil))
    emit(
      .started(
        .init(request: request, paintedWidth: painted.width, paintedHeight: painted.height)))
    switch film.kind {
    case .progress, .zoom: try shootPainting(studio)
    case .restyle: try await restyle(studio)
    case .morph: try morph(studio)
    case .ring: try shootRing(studio)
    }
    emit(.finished(.init(stopped: Task.isCancelled, seconds: start.seconds(to: clock.now))))
  }

  /// What the container of a film tells: enough to shoot it again.
  public nonisolated func metadata(of film: Film, _ request: Request) throws -> Metadata {
    let painted = pack.paintedSize(request, factor: try factor(of: request))
    return Metadata(
      request: request, pack: .init(id: pack.manifest.id, version: pack.manifest.version),
      device: "\(device)", precision: request.precision?.rawValue ?? "", threads: threads,
      libtorch: Libtorch.version, models: try fingerprints(request), film: film, painted: painted,
      resampling: nil)
  }

  // MARK: One picture as it is painted

  private func shootPainting(_ studio: Studio) throws {
    var studio = studio
    let (film, camera) = (studio.film, Camera(film: studio.film))
    let start = try startPicture(studio.request, studio.options.files, studio.painted)
    let painting = try studio.painting(initial: start)
    studio.reel.total = painting.total / film.every + 1
    try paint(painting, studio.keeper(0), studio.easel) { painting in
      guard painting.iteration % film.every == 0 || painting.isDone else { return }
      let number = (painting.iteration + film.every - 1) / film.every + 1
      let picture = painting.current()
      try studio.reel.add(picture, number)
      if film.kind == .zoom, !painting.isDone, painting.iteration >= film.start ?? 0 {
        try painting.goOn(from: camera(picture), forgetting: true)
      }
    }
  }

  // MARK: A video painted over

  private func restyle(_ studio: Studio) async throws {
    var studio = studio
    let film = studio.film
    let urls = try film.source.map { try studio.options.files.url($0) }
    let isVideo = urls.count == 1 && (try? Picture.read(from: urls[0].path)) == nil
    let size = (width: studio.painted.width, height: studio.painted.height)
    let video = isVideo ? try await VideoReader(urls[0].path) : nil
    var frames = video?.makeAsyncIterator()
    let count = video?.info.frames ?? urls.count
    studio.reel.total = count
    let fit = studio.request.initFit ?? .crop
    var number = 1
    var before = studio.options.run?.frameCount ?? 0
    while !Task.isCancelled {
      let next: Picture?
      if isVideo {
        next = try await frames?.next()
      } else {
        next = number <= urls.count ? try Picture.read(from: urls[number - 1].path) : nil
      }
      guard let source = next else { break }
      defer { number += 1 }
      if number <= before { continue }
      before = number
      var start = try source.fitted(by: fit, size.width, size.height).tensor()
      if film.carry > 0, number > 1 {
        let last = try studio.reel.frame(number - 1).resized(
          width: size.width, height: size.height)
        start = start * (1 - film.carry) + last.tensor() * film.carry
      }
      let painting = try studio.painting(initial: start)
      try paint(painting, studio.keeper(number), studio.easel)
      guard painting.isDone else { return }
      try studio.reel.add(painting.picture(), number)
    }
  }

  // MARK: Between pictures

  private func morph(_ studio: Studio) throws {
    var studio = studio
    let film = studio.film
    var keys: [[Tensor]] = []
    var last: GuidedPainting?
    let requests = try keyframes(film, studio.request)
    let between = film.frames ?? 30
    studio.reel.total = (requests.count - 1) * between + 1
    for (index, request) in requests.enumerated() {
      let initial = try startPicture(request, studio.options.files, studio.painted)
      let painting = try studio.painting(request, initial: initial)
      if let kept = try studio.options.run?.kept("key-\(index)") {
        keys.append(kept.map { $0.to(device) })
      } else {
        try paint(painting, studio.keeper(index), studio.easel)
        guard painting.isDone else { return }
        keys.append(painting.parameters())
        try studio.options.run?.keep(painting.parameters(), as: "key-\(index)")
      }
      last = painting
    }
    guard let painting = last else { return }
    let done = studio.options.run?.frameCount ?? 0
    for number in 1...(studio.reel.total ?? 1) where number > done {
      if studio.easel.isStopped { return }
      let segment = min((number - 1) / between, requests.count - 2)
      let share = Double(number - 1 - segment * between) / Double(between)
      let parameters = zip(keys[segment], keys[segment + 1]).map { from, to in
        from * (1 - share) + to * share
      }
      try studio.reel.add(painting.picture(of: parameters), number)
    }
  }

  /// The requests of the pictures between which a film goes.
  private func keyframes(_ film: Film, _ request: Request) throws -> [Request] {
    guard film.seeds.isEmpty else {
      return film.seeds.map { seed in
        var one = request
        one.seed = seed
        return one
      }
    }
    return try request.scenes().map { scene in
      var one = request
      (one.prompt, one.blend) = ("", nil)
      one.prompts = scene.map { prompt in
        var prompt = prompt
        prompt.scene = nil
        return prompt
      }
      return one
    }
  }

  // MARK: Pictures in turns

  /// What a checkpoint of a ring says beside its tensors.
  private struct RingNotes: Codable {
    var turn: Int
    var paintings: [GuidedPainting.Notes]
  }

  private func shootRing(_ studio: Studio) throws {
    var studio = studio
    let film = studio.film
    let paintings = try ring(studio)
    let count = paintings.count
    studio.reel.total = count
    var turn = 0
    if let (notes, tensor) = try studio.options.run?.checkpoint(RingNotes.self) {
      turn = notes.turn
      for (index, painting) in paintings.enumerated() {
        try painting.restore(notes.paintings[index]) { try tensor("\(index).\($0)") }
      }
    }
    let turns = max(1, (studio.request.iterations ?? 1) / film.every)
    while turn < turns {
      for (index, painting) in paintings.enumerated() {
        for step in 0..<film.every where !painting.isDone {
          if studio.easel.isStopped { return }
          let loss = try painting.step()
          let done = (turn * count + index) * film.every + step + 1
          studio.easel.emit(
            .step(
              .init(step: done, total: turns * count * film.every, unit: "iteration", loss: loss)))
        }
      }
      turn += 1
      if turn < turns, film.carry > 0 {
        let pictures = paintings.map { $0.current() }
        for (index, painting) in paintings.enumerated() {
          let neighbour = pictures[(index + count - 1) % count]
          try painting.goOn(
            from: pictures[index] * (1 - film.carry) + neighbour * film.carry, forgetting: false)
        }
      }
      var tensors: [String: Tensor] = [:]
      for (index, painting) in paintings.enumerated() {
        for (name, tensor) in painting.state { tensors["\(index).\(name)"] = tensor }
      }
      try studio.options.run?.save(
        RingNotes(turn: turn, paintings: paintings.map(\.notes)), tensors)
    }
    for (index, painting) in paintings.enumerated() {
      try studio.reel.add(painting.current(), index + 1)
    }
  }

  private func ring(_ studio: Studio) throws -> [GuidedPainting] {
    let film = studio.film
    let count = film.source.isEmpty ? film.frames ?? 6 : film.source.count
    return try (0..<count).map { index in
      var request = studio.request
      request.seed = request.seed.map { $0 + index }
      guard !film.source.isEmpty else {
        let initial = try startPicture(request, studio.options.files, studio.painted)
        return try studio.painting(request, initial: initial)
      }
      let url = try studio.options.files.url(film.source[index])
      let initial = try Picture.read(from: url.path)
        .fitted(by: request.initFit ?? .crop, studio.painted.width, studio.painted.height)
      return try studio.painting(request, initial: initial.tensor())
    }
  }
}
