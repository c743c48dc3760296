import Foundation
import Imaging
import Torch

extension Engine {
  /// A film being shot: where its pictures are painted, and where its frames go.
  struct Shoot {
    let film: Film
    let request: Request
    let runner: PipelineRunner
    var reel: FilmReel

    var run: RunFolder? { runner.options.run }

    /// A painting between whose parameters and another's pictures lie.
    func between(_ request: Request) throws -> any BetweenPictures {
      let pipeline = try runner.pipeline(request)
      guard let pipeline = ((pipeline as? Ranked)?.base ?? pipeline) as? any BetweenPictures else {
        throw RequestError.impossible(
          method: runner.method.id, reason: "its films are \(runner.method.filmNames)")
      }
      return pipeline
    }

    /// A painting that can go on from other pictures.
    func guided(_ request: Request, initial: Tensor? = nil) throws -> GuidedPipeline {
      guard let pipeline = try runner.pipeline(request, initial: initial) as? GuidedPipeline else {
        throw RequestError.impossible(
          method: runner.method.id, reason: "its films are \(runner.method.filmNames)")
      }
      return pipeline
    }
  }

  /// Paints the frames of a film into the folder of its run. What is there already is not painted again.
  /// - Parameter request: resolved and adapted to the film.
  func shoot(
    _ film: Film, _ request: Request, _ options: Options, _ control: StepControl,
    _ emit: @escaping @Sendable (Event) -> Void
  ) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    guard let run = options.run else {
      throw RequestError.badValue(field: "film", reason: "needs a folder for its frames")
    }
    let request = try film.adapted(resolver.resolve(request, device: device), registry)
    var options = options
    options.previewEvery = nil
    let runner = try runner(request, options, control, emit)
    let reel = FilmReel(
      run: run, width: request.width ?? runner.size.width,
      height: request.height ?? runner.size.height, total: nil, emit: emit)
    let shoot = Shoot(film: film, request: request, runner: runner, reel: reel)
    emit(
      .started(
        .init(
          request: request, paintedWidth: runner.size.width, paintedHeight: runner.size.height)))
    switch film.kind {
    case .zoom where !runner.method.isOptimised: try walk(shoot)
    case .progress, .zoom: try shootPainting(shoot)
    case .restyle: try await restyle(shoot)
    // Where there are steps and nothing that is optimised, there is nothing to go between.
    case .morph where runner.method.takes.contains(.steps) && !runner.method.isOptimised:
      try blend(shoot)
    case .morph: try morph(shoot)
    case .ring: try shootRing(shoot)
    }
    emit(.finished(.init(stopped: control.isStopped(), seconds: (clock.now - start).seconds)))
  }

  /// What the container of a film tells: enough to shoot it again.
  public nonisolated func metadata(of film: Film, _ request: Request) throws -> Metadata {
    return Metadata(
      request: request, pack: .init(id: pack.manifest.id, version: pack.manifest.version),
      device: "\(device)", precision: request.precision?.rawValue ?? "", threads: threads,
      libtorch: Libtorch.version, models: try fingerprints(request), film: film,
      painted: try resolver.paintedSize(request),
      resampling: nil)
  }

  // MARK: One picture as it is painted

  private func shootPainting(_ shoot: Shoot) throws {
    var shoot = shoot
    let (film, camera) = (shoot.film, Camera(film: shoot.film))
    let pipeline =
      try film.kind == .zoom
      ? shoot.guided(shoot.request) : shoot.runner.pipeline(shoot.request)
    shoot.reel.total = pipeline.total / film.every + 1
    try shoot.runner.paint(pipeline, picture: 0) { pipeline in
      guard pipeline.done % film.every == 0 || pipeline.isDone else { return }
      let number = (pipeline.done + film.every - 1) / film.every + 1
      let picture = try pipeline.current()
      try shoot.reel.add(picture, number)
      if let guided = pipeline as? GuidedPipeline, film.kind == .zoom, !pipeline.isDone,
        pipeline.done >= film.start ?? 0
      {
        try guided.goOn(from: camera(picture, frame: number - 1), forgetting: true)
      }
    }
  }

  // MARK: Each frame painted by itself

  /// A camera's film of a method without parameters: each frame is painted from what the camera sees of the
  /// one before (Disco Diffusion's 2D films), or made of those that are.
  private func walk(_ shoot: Shoot) throws {
    var shoot = shoot
    let (film, camera) = (shoot.film, Camera(film: shoot.film))
    let (count, turbo) = (film.frames ?? 60, film.turbo ?? 1)
    shoot.reel.total = count
    let scenes = try keyframes(film, shoot.request)
    let done = shoot.run?.frameCount ?? 0
    // What was painted last and, with turbo, what was seen there, both as the camera moved on since.
    var tracks: [Tensor] = []
    var last = (0..<done).last(where: film.isPainted)
    if let frame = last {
      guard let kept = try shoot.run?.kept("frame-\(frame)") else {
        throw PaintingError.badCheckpoint(reason: "its frame \(frame + 1) is not there")
      }
      tracks = kept.map { $0.to(device) }
      for later in (frame + 1)..<max(frame + 1, done) {
        tracks = tracks.map { camera($0, frame: later - 1) }
      }
    }
    for frame in done..<max(done, count) {
      if shoot.runner.control.isStopped() { return }
      tracks = tracks.map { camera($0, frame: frame - 1) }
      guard film.isPainted(frame) else {
        let share = Double(frame % turbo + 1) / Double(turbo)
        try shoot.reel.add(tracks[0] * share + tracks[1] * (1 - share), frame + 1)
        continue
      }
      let scene = scenes[min(scenes.count - 1, frame * scenes.count / count)]
      let seen = tracks.first
      let pipeline = try shoot.runner.pipeline(
        film.request(scene, frame: frame, method: shoot.runner.method), initial: seen)
      try shoot.runner.paint(pipeline, picture: frame + 1)
      guard pipeline.isDone, let found = try pipeline.finished().first?.picture else { return }
      let painted = found.to(device)
      tracks = turbo > 1 ? [painted, seen ?? painted] : [painted]
      try shoot.run?.keep(tracks, as: "frame-\(frame)")
      let share = 1 / Double(turbo)
      try shoot.reel.add(seen.map { painted * share + $0 * (1 - share) } ?? painted, frame + 1)
      if let last { shoot.run?.forget("frame-\(last)") }
      last = frame
    }
  }

  /// From one picture to the next by a method without parameters: each frame is painted of a mix of both
  /// pictures' first noise, or of both texts by shares.
  private func blend(_ shoot: Shoot) throws {
    var shoot = shoot
    let film = shoot.film
    let keys = try keyframes(film, shoot.request)
    let between = film.frames ?? 30
    shoot.reel.total = (keys.count - 1) * between + 1
    let done = shoot.run?.frameCount ?? 0
    for number in 1...(shoot.reel.total ?? 1) where number > done {
      if shoot.runner.control.isStopped() { return }
      let segment = min((number - 1) / between, keys.count - 2)
      let share = Double(number - 1 - segment * between) / Double(between)
      let request = keys[segment].mixed(with: keys[segment + 1], share)
      let pipeline = try shoot.runner.pipeline(request)
      try shoot.runner.paint(pipeline, picture: number)
      guard pipeline.isDone, let frame = try pipeline.finished().first else { return }
      try shoot.reel.add(frame.picture, number)
    }
  }

  // MARK: A video painted over

  private func restyle(_ shoot: Shoot) async throws {
    var shoot = shoot
    let film = shoot.film
    let urls = try film.source.map { try shoot.runner.options.files.url($0) }
    let isVideo = urls.count == 1 && (try? Picture.read(from: urls[0].path)) == nil
    let size = shoot.runner.size
    let video = isVideo ? try await VideoReader(urls[0].path) : nil
    var frames = video?.makeAsyncIterator()
    let count = video?.info.frames ?? urls.count
    shoot.reel.total = count
    let fit = shoot.request.initFit ?? .crop
    var number = 1
    let done = shoot.run?.frameCount ?? 0
    var before: Tensor?
    while !shoot.runner.control.isStopped() {
      let next: Picture?
      if isVideo {
        next = try await frames?.next()
      } else {
        next = number <= urls.count ? try Picture.read(from: urls[number - 1].path) : nil
      }
      guard let source = next else { break }
      defer { number += 1 }
      // Of what is painted already only the last is needed, to see how the next one moved.
      if number < done { continue }
      let seen = try source.fitted(by: fit, size.width, size.height).tensor()
      defer { before = seen }
      if number == done { continue }
      var start = seen
      if film.carry > 0, number > 1 {
        let last = try shoot.reel.frame(number - 1).resized(
          width: size.width, height: size.height)
        let flow = film.flow == true ? before.map { OpticalFlow(from: $0, to: seen) } : nil
        let share = flow.map { $0.known * film.carry } ?? Tensor(film.carry)
        start = start * (1 - share) + (flow?(last.tensor()) ?? last.tensor()) * share
      }
      let pipeline = try shoot.runner.pipeline(shoot.request, initial: start)
      try shoot.runner.paint(pipeline, picture: number)
      guard pipeline.isDone, let frame = try pipeline.finished().first else { return }
      try shoot.reel.add(frame.picture, number)
    }
  }

  // MARK: Between pictures

  private func morph(_ shoot: Shoot) throws {
    var shoot = shoot
    let film = shoot.film
    var keys: [[Tensor]] = []
    var last: (any BetweenPictures)?
    let requests = try keyframes(film, shoot.request)
    let between = film.frames ?? 30
    shoot.reel.total = (requests.count - 1) * between + 1
    for (index, request) in requests.enumerated() {
      let painting = try shoot.between(request)
      if let kept = try shoot.run?.kept("key-\(index)") {
        keys.append(kept.map { $0.to(device) })
      } else {
        try shoot.runner.paint(painting, picture: index)
        guard painting.isDone else { return }
        keys.append(painting.parameters())
        try shoot.run?.keep(painting.parameters(), as: "key-\(index)")
      }
      last = painting
    }
    guard let painting = last else { return }
    let done = shoot.run?.frameCount ?? 0
    for number in 1...(shoot.reel.total ?? 1) where number > done {
      if shoot.runner.control.isStopped() { return }
      let segment = min((number - 1) / between, requests.count - 2)
      let share = Double(number - 1 - segment * between) / Double(between)
      try shoot.reel.add(
        painting.picture(between: keys[segment], keys[segment + 1], share: share), number)
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
      (one.prompt, one.negativePrompt, one.blend) = ("", nil, nil)
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
    var paintings: [JSONValue]
  }

  private func shootRing(_ shoot: Shoot) throws {
    var shoot = shoot
    let film = shoot.film
    let paintings = try ring(shoot)
    let count = paintings.count
    shoot.reel.total = count
    var turn = 0
    if let (notes, tensor) = try shoot.run?.checkpoint(RingNotes.self) {
      turn = notes.turn
      for (index, painting) in paintings.enumerated() {
        guard notes.paintings.indices.contains(index) else {
          throw PaintingError.badCheckpoint(reason: "it is of another film")
        }
        try painting.restore(JSONEncoder().encode(notes.paintings[index])) {
          try tensor("\(index).\($0)")
        }
      }
    }
    let turns = max(1, (shoot.request.iterations ?? 1) / film.every)
    while turn < turns {
      for (index, painting) in paintings.enumerated() {
        for step in 0..<film.every where !painting.isDone {
          if shoot.runner.control.isStopped() { return }
          let loss = try painting.step(shoot.runner.control)
          let done = (turn * count + index) * film.every + step + 1
          shoot.runner.emit(
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
      var notes = RingNotes(turn: turn, paintings: [])
      var tensors: [String: Tensor] = [:]
      for (index, painting) in paintings.enumerated() {
        let state = try painting.state
        notes.paintings.append(try JSONDecoder().decode(JSONValue.self, from: state.notes))
        for (name, tensor) in state.tensors { tensors["\(index).\(name)"] = tensor }
      }
      try shoot.run?.save(notes, tensors)
    }
    for (index, painting) in paintings.enumerated() {
      try shoot.reel.add(painting.current(), index + 1)
    }
  }

  private func ring(_ shoot: Shoot) throws -> [GuidedPipeline] {
    let film = shoot.film
    let count = film.source.isEmpty ? film.frames ?? 6 : film.source.count
    return try (0..<count).map { index in
      var request = shoot.request
      request.seed = request.seed.map { $0 + index }
      guard !film.source.isEmpty else { return try shoot.guided(request) }
      let url = try shoot.runner.options.files.url(film.source[index])
      let initial = try Picture.read(from: url.path)
        .fitted(by: request.initFit ?? .crop, shoot.runner.size.width, shoot.runner.size.height)
      return try shoot.guided(request, initial: initial.tensor())
    }
  }
}
